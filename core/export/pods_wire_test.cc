// SPDX-License-Identifier: Apache-2.0
#include "core/export/pods_wire.h"

#include <gtest/gtest.h>

#include "core/identity/kube_test_data.h"

namespace orb8 {
namespace {

const NodeInfo kNode = {.name = "node-1", .version = "1.2.3"};

TEST(PodsWire, SaysWhereThereIsNoCluster) {
  const auto answer = answer_pods({}, nullptr, kNode);
  EXPECT_FALSE(answer.kubernetes());
  EXPECT_EQ(answer.node_name(), "node-1");
  EXPECT_EQ(answer.pods_size(), 0);
}

TEST(PodsWire, HasAllThatIsKnownOfAPod) {
  KubeStore kube({.labels = true});
  kube.set(node("n1", "node-1", {}, "zone-a"));
  auto web = pod("u1", "web-0", {ip("10.244.0.7"), ip("fd00::7")});
  web.controller = {"StatefulSet", "web"};
  web.containers = {{"nginx", std::string(64, 'a')}, {"waits", ""}};
  web.labels = {{"app", "web"}};
  web.host_network = true;
  web.finished = true;
  kube.set(web);
  kube.cgroup_appeared("u1");
  const auto answer = answer_pods({}, &kube, kNode);
  EXPECT_TRUE(answer.kubernetes());
  ASSERT_EQ(answer.pods_size(), 1);
  const auto& row = answer.pods(0);
  EXPECT_EQ(row.namespace_(), "shop");
  EXPECT_EQ(row.name(), "web-0");
  EXPECT_EQ(row.uid(), "u1");
  EXPECT_EQ(std::vector<std::string>(row.ips().begin(), row.ips().end()),
            (std::vector<std::string>{"10.244.0.7", "fd00::7"}));
  EXPECT_EQ(row.node(), "node-1");
  EXPECT_EQ(row.zone(), "zone-a");
  EXPECT_EQ(row.workload_kind(), "StatefulSet");
  EXPECT_EQ(row.workload(), "web");
  ASSERT_EQ(row.containers_size(), 2);
  EXPECT_EQ(row.containers(0).name(), "nginx");
  EXPECT_EQ(row.containers(0).id(), std::string(64, 'a'));
  EXPECT_EQ(row.containers(1).id(), "");
  EXPECT_TRUE(row.host_network());
  EXPECT_TRUE(row.finished());
  EXPECT_TRUE(row.cgroup_found());
  EXPECT_EQ(row.labels().at("app"), "web");
}

TEST(PodsWire, PicksByNamespaceAndNameAndSortsByThem) {
  KubeStore kube({});
  for (const auto* name : {"c", "a", "b"}) {
    auto here = pod(std::string("s-") + name, name, {});
    kube.set(here);
    here.uid = std::string("o-") + name;
    here.name_space = "other";
    kube.set(here);
  }
  const auto names = [&](const v1::QueryPodsRequest& request) {
    std::string all;
    const auto answer = answer_pods(request, &kube, kNode);
    for (const auto& row : answer.pods()) {
      all += row.namespace_() + "/" + row.name() + " ";
    }
    return all;
  };
  EXPECT_EQ(names({}), "other/a other/b other/c shop/a shop/b shop/c ");
  v1::QueryPodsRequest request;
  request.add_namespaces("shop");
  EXPECT_EQ(names(request), "shop/a shop/b shop/c ");
  request.add_pod_names("b");
  request.add_pod_names("c");
  EXPECT_EQ(names(request), "shop/b shop/c ");
}

}  // namespace
}  // namespace orb8
