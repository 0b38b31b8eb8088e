// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_spec.h"

#include <gtest/gtest.h>

namespace orb8 {
namespace {

TEST(ContainerSpec, NamesAContainerOfContainerdByPodAndContainer) {
  EXPECT_EQ(name_in_spec(R"({"ociVersion": "1.1.0", "annotations": {
      "io.kubernetes.cri.container-name": "nginx", "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop"}})"),
            "shop/web-0/nginx");
}

TEST(ContainerSpec, NamesASandboxByItsPod) {
  EXPECT_EQ(name_in_spec(R"({"annotations": {"io.kubernetes.cri.container-type": "sandbox",
      "io.kubernetes.cri.sandbox-name": "web-0", "io.kubernetes.cri.sandbox-namespace": "shop"}})"),
            "shop/web-0");
  EXPECT_EQ(name_in_spec(R"({"annotations": {"io.kubernetes.cri-o.ContainerType": "sandbox",
      "io.kubernetes.container.name": "POD", "io.kubernetes.pod.name": "web-0",
      "io.kubernetes.pod.namespace": "shop"}})"),
            "shop/web-0");
}

TEST(ContainerSpec, NamesAContainerOfCrio) {
  EXPECT_EQ(name_in_spec(R"({"annotations": {"io.container.manager": "cri-o",
      "io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.container.name": "nginx",
      "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}})"),
            "shop/web-0/nginx");
}

TEST(ContainerSpec, LeavesOutWhatIsNotThere) {
  EXPECT_EQ(name_in_spec(R"({"annotations": {"io.kubernetes.cri.container-name": "nginx",
      "io.kubernetes.cri.sandbox-name": "web-0"}})"),
            "web-0/nginx");
}

TEST(ContainerSpec, NamesAContainerOfNerdctl) {
  EXPECT_EQ(name_in_spec(R"({"annotations": {"nerdctl/name": "redis"}})"), "redis");
}

TEST(ContainerSpec, HasNoNameInOtherJsonAndInNoJson) {
  for (const char* text :
       {"", "{", "[]", "1", "null", "{}", R"({"annotations": null})", R"({"annotations": []})",
        R"({"annotations": {}})", R"({"annotations": {"nerdctl/name": 5}})",
        R"({"annotations": {"nerdctl/name": ""}})", "\xff\xfe"}) {
    EXPECT_EQ(name_in_spec(text), std::nullopt) << text;
    EXPECT_EQ(name_in_docker_reply(text), std::nullopt) << text;
    EXPECT_EQ(name_in_storage_list(text, "id"), std::nullopt) << text;
  }
}

TEST(DockerReply, HasTheNameBehindASlash) {
  EXPECT_EQ(name_in_docker_reply(R"({"Id": "3f1c", "Name": "/redis"})"), "redis");
  EXPECT_EQ(name_in_docker_reply(R"({"Name": "/"})"), std::nullopt);
  EXPECT_EQ(name_in_docker_reply(R"({"Name": ["/redis"]})"), std::nullopt);
}

TEST(StorageList, HasTheFirstNameOfTheContainerWithThatId) {
  const char* const list = R"([{"id": "a", "names": ["one"]}, 7, {"id": "b", "names": ["two", "x"]},
      {"id": "c"}, {"id": "d", "names": []}, {"id": "e", "names": [1]}, {"id": "f", "names": "six"}])";
  EXPECT_EQ(name_in_storage_list(list, "a"), "one");
  EXPECT_EQ(name_in_storage_list(list, "b"), "two");
  for (const char* id : {"c", "d", "e", "f", "g"}) {
    EXPECT_EQ(name_in_storage_list(list, id), std::nullopt) << id;
  }
}

}  // namespace
}  // namespace orb8
