// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_id.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace orb8 {
namespace {

using enum ContainerRuntime;

const std::string kId = "3f1c0c4bd1a54b0f9d3ff1f2e6a7b8c9d0e1f2031425364758697a8b9cadbecf";
const std::string kOther = "aa00bb11cc22dd33ee44ff5566778899aa00bb11cc22dd33ee44ff5566778899";
const std::string kUid = "4f2c7d1a-90ab-4cde-8f01-23456789abcd";
const std::string kSliceUid = "4f2c7d1a_90ab_4cde_8f01_23456789abcd";
const std::string kStaticUid = "8d4c3f2e1a0b9c8d7e6f5a4b3c2d1e0f";

struct Case {
  std::string path;
  ContainerRuntime runtime;
  std::string pod_uid;
};

TEST(ContainerId, IsFoundInThePathsOfEachRuntimeAndDriver) {
  const std::string burstable = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod";
  const std::vector<Case> cases = {
      {"/docker/" + kId, kDocker, ""},
      {"/system.slice/docker-" + kId + ".scope", kDocker, ""},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + kId + ".scope", kDocker,
       ""},
      {"/mine/" + kId, kUnknown, ""},
      {kId, kUnknown, ""},
      {"/default/" + kId, kContainerd, ""},
      {"/system.slice/nerdctl-" + kId + ".scope", kContainerd, ""},
      {"/system.slice/system.slice:docker:" + kId, kDocker, ""},
      {burstable + kSliceUid + ".slice/cri-containerd-" + kId + ".scope", kContainerd, kUid},
      {burstable + kSliceUid + ".slice/docker-" + kId + ".scope", kDocker, kUid},
      {burstable + kSliceUid + ".slice/crio-" + kId + ".scope", kCrio, kUid},
      {burstable + kSliceUid + ".slice/crio-" + kId + ".scope/container", kCrio, kUid},
      {burstable + kStaticUid + ".slice/cri-containerd-" + kId + ".scope", kContainerd, kStaticUid},
      {"/kubepods.slice/kubepods-pod" + kSliceUid + ".slice/cri-containerd-" + kId + ".scope",
       kContainerd, kUid},
      {"/kubepods/burstable/pod" + kUid + "/" + kId, kContainerd, kUid},
      {"/kubepods/pod" + kUid + "/" + kId, kContainerd, kUid},
      {"/kubepods/besteffort/pod" + kUid + "/crio-" + kId, kCrio, kUid},
      {"/system.slice/containerd.service/kubepods-besteffort-pod" + kSliceUid +
           ".slice:cri-containerd:" + kId,
       kContainerd, kUid},
      {"/machine.slice/libpod-" + kId + ".scope/container", kPodman, ""},
      {"/machine.slice/machine-libpod_pod_" + kOther + ".slice/libpod-" + kId + ".scope", kPodman,
       ""},
      {"/libpod_parent/libpod-" + kId, kPodman, ""},
  };
  for (const auto& [path, runtime, uid] : cases) {
    EXPECT_EQ(container_of(path), (ContainerRef{kId, runtime, uid})) << path;
  }
}

TEST(ContainerId, IsTheInnermostOne) {
  const auto in_kind =
      container_of("/docker/" + kOther +
                   "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
                   "kubelet-kubepods-burstable-pod" +
                   kSliceUid + ".slice/cri-containerd-" + kId + ".scope");
  EXPECT_EQ(in_kind, (ContainerRef{kId, kContainerd, kUid}));
  const auto docker_in_a_pod =
      container_of("/kubepods/burstable/pod" + kUid + "/" + kOther + "/docker/" + kId);
  EXPECT_EQ(docker_in_a_pod, (ContainerRef{kId, kDocker, kUid}));
}

TEST(ContainerId, CoversWhatTheContainerMadeBelowIt) {
  const std::string own = "/system.slice/docker-" + kId + ".scope";
  for (const char* below : {"/init.scope", "/system.slice/nginx.service", "/a/b/c", "/"}) {
    EXPECT_EQ(container_of(own + below), container_of(own)) << below;
  }
}

TEST(ContainerId, IsNotFoundOutsideOfContainers) {
  const std::vector<std::string> paths = {
      "",
      "/",
      "//",
      "/init.scope",
      "/system.slice/ssh.service",
      "/user.slice/user-1000.slice/session-3.scope",
      "/kubepods/burstable/pod" + kUid,
      "/machine.slice/libpod-conmon-" + kId + ".scope",
      "/system.slice/crio-conmon-" + kId + ".scope",
      "/machine.slice/machine-libpod_pod_" + kId + ".slice",
      "/docker/" + kId.substr(1),
      "/docker/0" + kId,
      "/docker/G" + kId.substr(1),
      "/docker-" + kId.substr(1) + ".scope",
      "/-" + kId + ".scope",
      "/docker" + kId,
  };
  for (const auto& path : paths) EXPECT_EQ(container_of(path), std::nullopt) << path;
}

TEST(ContainerId, OfAMonitorIsThatOfTheContainerAroundIt) {
  const auto found = container_of("/docker/" + kId + "/libpod-conmon-" + kOther + ".scope");
  EXPECT_EQ(found, (ContainerRef{kId, kDocker, ""}));
}

TEST(PodUid, IsKnownForAPodWithoutContainersToo) {
  EXPECT_EQ(pod_uid_of("/kubepods/burstable/pod" + kUid), kUid);
  EXPECT_EQ(pod_uid_of("/kubepods.slice/kubepods-pod" + kSliceUid + ".slice"), kUid);
  EXPECT_EQ(pod_uid_of("/elsewhere/pod" + kUid), "");
  EXPECT_EQ(pod_uid_of("/kubepods/burstable/pod" + kUid.substr(1)), "");
  EXPECT_EQ(pod_uid_of("/kubepods/burstable/podium"), "");
}

TEST(ContainerId, IsShownByItsFirstTwelveDigits) {
  EXPECT_EQ(short_id(kId), "3f1c0c4bd1a5");
}

// Names that runtimes use, taken apart and put together at random.
TEST(ContainerId, OfAnyPathIsAnIdInItAndStaysSoBelowAndInsideOthers) {
  const std::vector<std::string> pieces = {"/",
                                           "docker",
                                           "-",
                                           ":",
                                           kId,
                                           kOther,
                                           ".scope",
                                           ".slice",
                                           "kubepods",
                                           "pod",
                                           kUid,
                                           kSliceUid,
                                           "cri-containerd",
                                           "crio",
                                           "conmon",
                                           "libpod",
                                           "x",
                                           "\xff",
                                           "default",
                                           "_"};
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same paths each time
  const std::string outer = "/docker/" + kOther + "/";
  int found = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string path;
    const auto length = random() % 12;
    for (unsigned i = 0; i < length; ++i) path += pieces[random() % pieces.size()];
    const auto container = container_of(path);
    if (!container) {
      EXPECT_EQ(container_of(path + "/below"), std::nullopt) << path;
      continue;
    }
    ++found;
    EXPECT_TRUE(container->id == kId || container->id == kOther) << path;
    EXPECT_NE(path.find(container->id), std::string::npos) << path;
    EXPECT_EQ(container_of(path + "/init.scope"), container) << path;
    const auto nested = container_of(outer + path);
    ASSERT_TRUE(nested) << path;
    EXPECT_EQ(nested->id, container->id) << path;
    EXPECT_TRUE(container->pod_uid.empty() || container->pod_uid == kUid) << path;
  }
  EXPECT_GT(found, 200);
}

}  // namespace
}  // namespace orb8
