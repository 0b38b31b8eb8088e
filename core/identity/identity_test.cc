// With real cgroups, real processes and a server that answers as Docker does.
// SPDX-License-Identifier: Apache-2.0
#include "core/identity/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/mounts.h"
#include "core/identity/kube_test_data.h"
#include "core/identity/scripted_http.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

const std::string kId = "3f1c0c4bd1a54b0f9d3ff1f2e6a7b8c9d0e1f2031425364758697a8b9cadbecf";
constexpr std::int64_t kSecond = 1'000'000'000;

class IdentityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-identity-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    options_.names.paths = {.docker_socket = root_ + "/docker.sock",
                            .containerd_tasks = root_ + "/tasks",
                            .storage_run = root_ + "/run",
                            .storage_lib = root_ + "/lib"};
    // It looks at this part of the tree alone: the machine may have containers of its own.
    const auto mount = find_cgroup2_mount("");
    const auto top = mount + "/orb8-identity-" + std::to_string(::getpid());
    if (!mount.empty() && ::mkdir(top.c_str(), 0755) == 0) {
      made_.push_back(top);
      options_.cgroups.mount = top;
    }
    server_ = std::make_unique<ScriptedHttp>(root_ + "/docker.sock", [this](const std::string&) {
      ++asked_;
      return known_ ? ScriptedHttp::ok(R"({"Name": "/redis"})")
                    : std::string("HTTP/1.0 404 Not Found\r\n\r\n");
    });
  }
  void TearDown() override {
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) ::rmdir(path->c_str());
    fs::remove_all(root_);
  }

  // Makes a cgroup, and gives its id; 0 where that is not possible.
  std::uint64_t make(const std::string& name) {
    if (made_.empty()) return 0;
    const auto path = made_.front() + "/" + name;
    struct stat there = {};
    if (::mkdir(path.c_str(), 0755) != 0 || ::stat(path.c_str(), &there) != 0) return 0;
    made_.push_back(path);
    return there.st_ino;
  }

  // Takes in one answer of Docker.
  static void wait_for_answer(Identity& identity, std::int64_t now_ns) {
    pollfd fd = {.fd = identity.fds()[1], .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&fd, 1, 10'000), 1) << "no answer";
    identity.handle_ready(now_ns);
  }

  std::string root_;
  std::string scope_ = "docker-" + kId + ".scope";
  std::vector<std::string> made_;
  std::atomic<bool> known_ = true;
  std::atomic<int> asked_ = 0;
  IdentityOptions options_;
  std::unique_ptr<ScriptedHttp> server_;
};

#define MAKE_OR_SKIP(id, name)                                   \
  const auto id = make(name);                                    \
  if ((id) == 0 && std::getenv("ORB8_REQUIRE_BPF") == nullptr) { \
    GTEST_SKIP() << "cgroups cannot be made here";               \
  }                                                              \
  ASSERT_NE(id, 0U) << "cgroups cannot be made here"

TEST_F(IdentityTest, NamesAContainerBeforeItsFirstSocket) {
  auto identity = Identity::open(options_, 0);
  MAKE_OR_SKIP(id, scope_);
  identity->handle_ready(0);  // hears of the new cgroup
  wait_for_answer(*identity, 0);

  const auto owner = identity->owner_of(id, 7, "redis-server");
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->cgroup_id, id);
  EXPECT_EQ(owner->pid, 7U);
  EXPECT_EQ(owner->comm, "redis-server");
  EXPECT_EQ(owner->cgroup_path, "/" + scope_);
  EXPECT_EQ(owner->container_id, kId);
  EXPECT_EQ(owner->container_name, "redis");
  EXPECT_EQ(*owner->endpoint, (Endpoint{EndpointKind::kContainer, "", "redis"}));
}

TEST_F(IdentityTest, ShowsTheIdUntilTheNameIsKnown) {
  known_ = false;
  auto identity = Identity::open(options_, 0);
  MAKE_OR_SKIP(id, scope_);
  const auto before = identity->owner_of(id, 7, "redis-server");
  EXPECT_EQ(*before->endpoint, (Endpoint{EndpointKind::kContainer, "", kId.substr(0, 12)}));
  EXPECT_EQ(before->container_name, "");
  wait_for_answer(*identity, 0);

  known_ = true;
  identity->handle_ready(kSecond);
  EXPECT_EQ(identity->owner_of(id, 7, "redis-server"), before);  // asks again
  wait_for_answer(*identity, kSecond + 1);
  const auto after = identity->owner_of(id, 7, "redis-server");
  EXPECT_NE(after, before);
  EXPECT_EQ(after->endpoint->name, "redis");
  EXPECT_EQ(before->endpoint->name, kId.substr(0, 12));
}

TEST_F(IdentityTest, KeepsWhatItKnewOfAContainerThatIsGone) {
  auto identity = Identity::open(options_, 0);
  MAKE_OR_SKIP(id, scope_);
  const auto first = identity->owner_of(id, 7, "redis-server");
  wait_for_answer(*identity, 1);
  const auto held = identity->owner_of(id, 7, "redis-server");
  EXPECT_EQ(held->container_name, "redis");
  ASSERT_EQ(::rmdir(made_.back().c_str()), 0);
  identity->handle_ready(2);
  EXPECT_EQ(identity->owner_of(id, 8, "redis-cli")->container_name, "redis");  // in its grace

  identity->handle_ready(100 * kSecond);
  EXPECT_EQ(identity->owner_of(id, 7, "redis-server"), held);
  EXPECT_EQ(identity->owner_of(id, 8, "redis-cli")->cgroup_path, "");
}

TEST_F(IdentityTest, KeepsTheNameWhenOnlyACgroupInsideTheContainerEnds) {
  MAKE_OR_SKIP(id, scope_);
  MAKE_OR_SKIP(inner, scope_ + "/init.scope");
  auto identity = Identity::open(options_, 0);
  wait_for_answer(*identity, 0);
  EXPECT_EQ(identity->owner_of(inner, 7, "init")->endpoint->name, "redis");
  ASSERT_EQ(::rmdir(made_.back().c_str()), 0);
  identity->handle_ready(1);
  identity->handle_ready(100 * kSecond);
  EXPECT_EQ(identity->owner_of(id, 8, "redis-server")->container_name, "redis");
  EXPECT_EQ(asked_, 1);
}

constexpr const char* kPodUid = "12345678-1234-1234-1234-123456789abc";

k8s::Pod pod_with_container() {
  auto web = pod(kPodUid, "web-0", {});
  web.containers = {{"nginx", kId}};
  return web;
}

TEST_F(IdentityTest, NamesThePodThatTheCgroupIsIn) {
  MAKE_OR_SKIP(pods, "kubepods");
  MAKE_OR_SKIP(of_pod, std::string("kubepods/pod") + kPodUid);
  MAKE_OR_SKIP(id, std::string("kubepods/pod") + kPodUid + "/" + kId);
  KubeStore kube({});
  kube.set(pod_with_container());
  options_.kube = &kube;
  known_ = false;
  auto identity = Identity::open(options_, 0);
  const auto owner = identity->owner_of(id, 7, "nginx");
  EXPECT_EQ(owner->endpoint->kind, EndpointKind::kPod);
  EXPECT_EQ(owner->endpoint->name, "web-0");
  EXPECT_EQ(owner->pod_uid, kPodUid);
  EXPECT_EQ(owner->container_name, "nginx") << "though no runtime told it";
  EXPECT_EQ(identity->owner_of(of_pod, 8, "pause")->endpoint->name, "web-0");
  EXPECT_TRUE(kube.pods().at(0).cgroup);
}

TEST_F(IdentityTest, CallsAContainerOfAPodByWhatItsManifestSays) {
  MAKE_OR_SKIP(pods, "kubepods");
  MAKE_OR_SKIP(of_pod, std::string("kubepods/pod") + kPodUid);
  MAKE_OR_SKIP(id, std::string("kubepods/pod") + kPodUid + "/" + kId);
  KubeStore kube({.grace_ns = 0});
  options_.kube = &kube;
  auto identity = Identity::open(options_, 0);
  identity->owner_of(id, 7, "nginx");
  wait_for_answer(*identity, 1);
  ASSERT_EQ(identity->owner_of(id, 7, "nginx")->container_name, "redis") << "the runtime's name";
  kube.set(pod_with_container());
  EXPECT_EQ(identity->owner_of(id, 7, "nginx")->container_name, "nginx");
  kube.gone(k8s::Kind::kPod, kPodUid);
  kube.tick();
  identity->handle_ready(2);
  EXPECT_EQ(identity->owner_of(id, 7, "nginx")->container_name, "nginx") << "after the pod";
}

TEST_F(IdentityTest, NamesAPodThatKubernetesTellsOfLater) {
  MAKE_OR_SKIP(pods, "kubepods");
  MAKE_OR_SKIP(of_pod, std::string("kubepods/pod") + kPodUid);
  MAKE_OR_SKIP(id, std::string("kubepods/pod") + kPodUid + "/" + kId);
  KubeStore kube({});
  options_.kube = &kube;
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(id, 7, "nginx")->endpoint->kind, EndpointKind::kContainer);
  kube.set(pod_with_container());
  const auto owner = identity->owner_of(id, 7, "nginx");
  EXPECT_EQ(owner->endpoint->name, "web-0");
  EXPECT_EQ(identity->owner_of(id, 7, "nginx"), owner);
  kube.gone(k8s::Kind::kPod, kPodUid);
  kube.set(node("n1", "node-1", {}));
  EXPECT_EQ(identity->owner_of(id, 7, "nginx"), owner) << "nothing about it changed";
  auto moved = pod_with_container();
  moved.name_space = "other";
  kube.set(moved);
  EXPECT_EQ(identity->owner_of(id, 7, "nginx")->endpoint->name_space, "other");
}

TEST_F(IdentityTest, KeepsThePodOfAProcessThatOutlivesWhatKubernetesKnowsOfIt) {
  MAKE_OR_SKIP(pods, "kubepods");
  MAKE_OR_SKIP(of_pod, std::string("kubepods/pod") + kPodUid);
  KubeStore kube({.grace_ns = 0});
  kube.set(pod_with_container());
  options_.kube = &kube;
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(of_pod, 7, "nginx")->endpoint->name, "web-0");
  kube.gone(k8s::Kind::kPod, kPodUid);
  kube.tick();
  EXPECT_EQ(kube.pod_with_uid(kPodUid), nullptr);
  EXPECT_EQ(identity->owner_of(of_pod, 7, "nginx")->endpoint->name, "web-0");
}

TEST_F(IdentityTest, SaysOnWhichNodeAProcessIs) {
  options_.node = "node-1";
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(0, 7, "sshd")->endpoint->node, "node-1");
}

TEST_F(IdentityTest, NamesAProcessOutsideOfContainersByItsCommand) {
  MAKE_OR_SKIP(id, "ssh.service");
  auto identity = Identity::open(options_, 0);
  const auto owner = identity->owner_of(id, 7, "sshd");
  EXPECT_EQ(owner->container_id, "");
  EXPECT_EQ(owner->cgroup_path, "/ssh.service");
  EXPECT_EQ(*owner->endpoint, (Endpoint{EndpointKind::kProcess, "", "sshd"}));
}

TEST_F(IdentityTest, LooksUpACommandThatTheKernelDidNotTell) {
  fs::create_directories(root_ + "/proc/7");
  std::ofstream(root_ + "/proc/7/comm") << "sshd\n";
  options_.root = root_;
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(0, 7, "")->comm, "sshd");
  EXPECT_EQ(identity->owner_of(0, 7, "")->endpoint->name, "sshd");
  EXPECT_EQ(*identity->owner_of(0, 8, "")->endpoint,
            (Endpoint{EndpointKind::kProcess, "", "pid 8"}));
}

TEST_F(IdentityTest, KnowsNothingOfNothing) {
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(0, 0, ""), nullptr);
  EXPECT_EQ(identity->owner_of(UINT64_MAX, 0, "")->endpoint, nullptr);
}

TEST_F(IdentityTest, GivesTheSamePointerForTheSameProcess) {
  auto identity = Identity::open(options_, 0);
  const auto owner = identity->owner_of(0, 7, "sshd");
  EXPECT_EQ(identity->owner_of(0, 7, "sshd"), owner);
  EXPECT_NE(identity->owner_of(0, 8, "sshd"), owner);
  EXPECT_NE(identity->owner_of(0, 7, "nginx"), owner);
  EXPECT_NE(identity->owner_of(UINT64_MAX, 7, "sshd"), owner);
}

TEST_F(IdentityTest, LetsGoOfOwnersThatNobodyHoldsAfterTheGrace) {
  auto identity = Identity::open(options_, 0);
  auto held = identity->owner_of(0, 1, "held");
  (void)identity->owner_of(0, 2, "let go");
  identity->handle_ready(59 * kSecond);
  EXPECT_EQ(identity->size(), 2U);
  identity->handle_ready(100 * kSecond);
  EXPECT_EQ(identity->size(), 1U);
  EXPECT_EQ(identity->owner_of(0, 1, "held"), held);
  held.reset();
  identity->handle_ready(159 * kSecond);
  EXPECT_EQ(identity->size(), 1U);
  identity->handle_ready(200 * kSecond);
  EXPECT_EQ(identity->size(), 0U);
}

TEST_F(IdentityTest, StaysWithinItsBoundAndSparesThoseThatAreHeld) {
  options_.max_owners = 4;
  auto identity = Identity::open(options_, 0);
  const auto held = identity->owner_of(0, 1, "held");
  for (std::uint32_t pid = 2; pid < 100; ++pid) (void)identity->owner_of(0, pid, "many");
  EXPECT_EQ(identity->size(), 4U);
  EXPECT_EQ(identity->owner_of(0, 1, "held"), held);

  std::vector<OwnerRef> all;
  for (std::uint32_t pid = 0; pid < 100; ++pid) all.push_back(identity->owner_of(0, pid, "held"));
  EXPECT_EQ(identity->size(), 4U);
  EXPECT_EQ(all[50]->pid, 50U);
}

TEST_F(IdentityTest, KnowsProcessesWhereThereIsNoCgroupV2) {
  options_.cgroups.mount = root_ + "/nowhere";
  auto identity = Identity::open(options_, 0);
  EXPECT_EQ(identity->owner_of(5, 7, "sshd")->endpoint->name, "sshd");
  const auto components = identity->components();
  ASSERT_EQ(components.size(), 2U);
  EXPECT_EQ(components[0].name, "cgroups");
  EXPECT_FALSE(components[0].healthy);
  EXPECT_THAT(components[0].reason, HasSubstr("/nowhere"));
  EXPECT_EQ(identity->fds()[0], -1);
}

}  // namespace
}  // namespace orb8
