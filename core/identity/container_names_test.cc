// SPDX-License-Identifier: Apache-2.0
#include "core/identity/container_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>

#include "core/identity/scripted_http.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using enum ContainerRuntime;
using std::chrono_literals::operator""ms;
namespace fs = std::filesystem;

const std::string kId = "3f1c0c4bd1a54b0f9d3ff1f2e6a7b8c9d0e1f2031425364758697a8b9cadbecf";
constexpr std::int64_t kSecond = 1'000'000'000;

ContainerRef container(ContainerRuntime runtime, const std::string& id = kId) {
  return {.id = id, .runtime = runtime, .pod_uid = {}};
}

std::string id_of(int number) {
  auto digits = std::to_string(number);
  return std::string(64 - digits.size(), '0') + digits;
}

// A machine whose runtimes are all below one folder.
class Names : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-names-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    options_.paths = {.docker_socket = root_ + "/docker.sock",
                      .containerd_tasks = root_ + "/tasks",
                      .storage_run = root_ + "/run",
                      .storage_lib = root_ + "/lib"};
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  std::unique_ptr<ScriptedHttp> docker(ScriptedHttp::Script script) const {
    return std::make_unique<ScriptedHttp>(options_.paths.docker_socket, std::move(script));
  }

  // Asks, waits for the thread to have an answer, and asks for that.
  static std::optional<std::string> ask(ContainerNames& names, const ContainerRef& who,
                                        std::int64_t now_ns = 0) {
    EXPECT_EQ(names.name_of(who, now_ns), std::nullopt);
    wait(names);
    return names.name_of(who, now_ns);
  }
  static void wait(ContainerNames& names) {
    pollfd fd = {.fd = names.fd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&fd, 1, 10'000), 1) << "no answer";
    names.handle_ready();
  }

  std::string root_;
  ContainerNamesOptions options_;
};

TEST_F(Names, ComeFromDocker) {
  std::string asked;
  const auto server = docker([&asked](const std::string& request) {
    asked = request;
    return ScriptedHttp::ok(R"({"Name": "/redis"})");
  });
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kDocker)), "redis");
  EXPECT_THAT(asked, HasSubstr("/containers/" + kId + "/json"));
  EXPECT_EQ(names.name_of(container(kDocker), 0), "redis");
  EXPECT_EQ(server->requests(), 1);
}

TEST_F(Names, ComeFromContainerdsSpecs) {
  fs::create_directories(root_ + "/tasks/default");
  write("/tasks/k8s.io/" + kId + "/config.json",
        R"({"annotations": {"io.kubernetes.cri.container-name": "nginx",
            "io.kubernetes.cri.sandbox-name": "web-0",
            "io.kubernetes.cri.sandbox-namespace": "shop"}})");
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kContainerd)), "shop/web-0/nginx");
}

TEST_F(Names, ComeFromCriosSpecs) {
  write("/run/" + kId + "/userdata/config.json",
        R"({"annotations": {"io.kubernetes.container.name": "nginx",
            "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}})");
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kCrio)), "shop/web-0/nginx");
}

TEST_F(Names, ComeFromPodmansLists) {
  write("/run/" + kId + "/userdata/config.json", R"({"annotations": {}})");
  write("/lib/containers.json", R"([{"id": ")" + kId + R"(", "names": ["lasting"]}])");
  write("/run/volatile-containers.json", R"([{"id": ")" + id_of(1) + R"(", "names": ["brief"]}])");
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kPodman)), "lasting");
  EXPECT_EQ(ask(names, container(kPodman, id_of(1))), "brief");
}

TEST_F(Names, AreLookedForEverywhereWhenTheRuntimeIsUnknown) {
  const auto server =
      docker([](const std::string&) { return ScriptedHttp::ok(R"({"Name": "/redis"})"); });
  write("/run/" + id_of(1) + "/userdata/config.json",
        R"({"annotations": {"io.kubernetes.pod.name": "web-0"}})");
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kUnknown)), "redis");
  EXPECT_EQ(ask(names, container(kUnknown, id_of(1))), "web-0");
}

TEST_F(Names, AreAskedForAgainLessAndLessOften) {
  const auto server = docker([](const std::string&) {
    return std::string("HTTP/1.0 404 Not Found\r\n\r\n{\"message\": \"No such container\"}");
  });
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kDocker), 0), std::nullopt);
  EXPECT_EQ(names.name_of(container(kDocker), kSecond - 1), std::nullopt);
  EXPECT_EQ(ask(names, container(kDocker), kSecond), std::nullopt);
  EXPECT_EQ(names.name_of(container(kDocker), 3 * kSecond - 1), std::nullopt);
  EXPECT_EQ(server->requests(), 2);
  EXPECT_EQ(ask(names, container(kDocker), 3 * kSecond), std::nullopt);
  EXPECT_EQ(server->requests(), 3);
  EXPECT_TRUE(names.component().healthy) << "that Docker does not know it is an answer";
}

TEST_F(Names, SayThatDockerFailsUntilItDoesNot) {
  std::atomic<bool> broken = true;
  const auto server = docker([&](const std::string&) {
    return broken ? std::string("HTTP/1.0 500 Internal Server Error\r\n\r\n")
                  : ScriptedHttp::ok(R"({"Name": "/redis"})");
  });
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kDocker)), std::nullopt);
  EXPECT_FALSE(names.component().healthy);
  EXPECT_THAT(names.component().reason, HasSubstr("500"));
  broken = false;
  EXPECT_EQ(ask(names, container(kDocker), kSecond), "redis");
  EXPECT_TRUE(names.component().healthy);
}

TEST_F(Names, ForgetAFailureWithItsContainer) {
  write("/lib/containers.json/is-a-folder", "");
  ContainerNames names(options_);
  EXPECT_EQ(ask(names, container(kPodman)), std::nullopt);
  EXPECT_FALSE(names.component().healthy);
  names.forget(kId);
  EXPECT_TRUE(names.component().healthy);
  EXPECT_EQ(names.size(), 0U);
}

TEST_F(Names, NeverLetTheCallerWaitAndEndAtOnce) {
  std::latch asked(1);
  const auto server = docker([&](const std::string&) {
    asked.count_down();
    return std::nullopt;
  });
  options_.deadline = std::chrono::hours(1);
  options_.max_waiting = 2;
  ContainerNames names(options_);
  EXPECT_EQ(names.name_of(container(kDocker), 0), std::nullopt);
  asked.wait();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(names.name_of(container(kDocker, id_of(i)), 0), std::nullopt);
  }
  EXPECT_EQ(server->requests(), 1);
}

TEST_F(Names, StayWithinTheirBound) {
  options_.max_names = 10;
  for (int i = 0; i < 30; ++i) {
    write("/tasks/default/" + id_of(i) + "/config.json",
          R"({"annotations": {"nerdctl/name": "c)" + std::to_string(i) + R"("}})");
  }
  ContainerNames names(options_);
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(ask(names, container(kContainerd, id_of(i))), "c" + std::to_string(i));
  }
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(ask(names, container(kContainerd, id_of(0))), "c0");
  EXPECT_EQ(names.name_of(container(kContainerd, id_of(29)), 0), "c29");
}

}  // namespace
}  // namespace orb8
