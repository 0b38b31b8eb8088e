// With real cgroups, made below the real mount and removed afterwards.
// SPDX-License-Identifier: Apache-2.0
#include "core/identity/cgroup_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/mounts.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000'000;

class Cgroups : public ::testing::Test {
 protected:
  void SetUp() override {
    mount_ = find_cgroup2_mount("");
    top_ = "/orb8-test-" + std::to_string(::getpid());
    if (mount_.empty() || ::mkdir((mount_ + top_).c_str(), 0755) != 0) {
      if (std::getenv("ORB8_REQUIRE_BPF") != nullptr) FAIL() << "cgroups cannot be made here";
      GTEST_SKIP() << "cgroups cannot be made here";
    }
    made_.push_back(top_);
  }
  void TearDown() override {
    for (auto path = made_.rbegin(); path != made_.rend(); ++path) {
      ::rmdir((mount_ + *path).c_str());
    }
  }

  // Makes a cgroup, and gives its id.
  std::uint64_t make(const std::string& name) {
    const auto path = top_ + name;
    EXPECT_EQ(::mkdir((mount_ + path).c_str(), 0755), 0) << path;
    made_.push_back(path);
    struct stat there = {};
    EXPECT_EQ(::stat((mount_ + path).c_str(), &there), 0) << path;
    return there.st_ino;
  }
  void remove(const std::string& name) const {
    EXPECT_EQ(::rmdir((mount_ + top_ + name).c_str()), 0) << name;
  }

  CgroupTree open(CgroupTreeOptions options = {}) {
    options.appeared = [this](std::uint64_t id, const std::string& path) { seen_[id] = path; };
    options.dropped = [this](std::uint64_t id, const std::string&) { seen_.erase(id); };
    auto tree = CgroupTree::open(std::move(options), 0);
    if (!tree) throw std::runtime_error(tree.error().what);
    return std::move(*tree);
  }

  std::string mount_;
  std::string top_;
  std::vector<std::string> made_;
  std::map<std::uint64_t, std::string> seen_;  // what the tree told of and has not dropped
};

// Each of these holds with and without the help of file handles.
class EachWay : public Cgroups, public ::testing::WithParamInterface<bool> {
 protected:
  CgroupTree open_this_way(CgroupTreeOptions options = {}) {
    options.ask_by_handle = GetParam();
    return open(std::move(options));
  }
};

TEST_P(EachWay, KnowsWhatWasThereAtTheStart) {
  const auto outer = make("/a");
  const auto inner = make("/a/b");
  auto tree = open_this_way();
  EXPECT_EQ(seen_[inner], top_ + "/a/b");
  EXPECT_EQ(tree.path_of(outer, 0), top_ + "/a");
  EXPECT_EQ(tree.path_of(inner, 0), top_ + "/a/b");
  EXPECT_TRUE(tree.component().healthy) << tree.component().reason;
}

TEST_P(EachWay, KnowsTheRoot) {
  auto tree = open_this_way();
  struct stat root = {};
  ASSERT_EQ(::stat(mount_.c_str(), &root), 0);
  EXPECT_EQ(tree.path_of(root.st_ino, 0), "/");
}

TEST_P(EachWay, FindsANewOneBeforeItsNoticeIsRead) {
  auto tree = open_this_way();
  const auto id = make("/new");
  EXPECT_EQ(tree.path_of(id, 0), top_ + "/new");
}

TEST_P(EachWay, HearsOfThoseThatAreMadeFasterThanTheyCanBeWatched) {
  auto tree = open_this_way();
  make("/a");
  make("/a/b");
  const auto deep = make("/a/b/c");
  tree.handle_ready(0);
  EXPECT_EQ(seen_[deep], top_ + "/a/b/c");
  const auto deeper = make("/a/b/c/d");
  tree.handle_ready(0);
  EXPECT_EQ(seen_[deeper], top_ + "/a/b/c/d");
}

TEST_P(EachWay, KeepsARemovedOneForTheGracePeriod) {
  const auto id = make("/a");
  auto tree = open_this_way({.grace_ns = 60 * kSecond});
  remove("/a");
  tree.handle_ready(10 * kSecond);
  EXPECT_EQ(tree.path_of(id, 69 * kSecond), top_ + "/a");
  EXPECT_EQ(tree.path_of(id, 70 * kSecond), std::nullopt);
  EXPECT_EQ(seen_.count(id), 0U);
}

TEST_P(EachWay, TellsTheOldFromTheNewOneOfTheSameName) {
  const auto before = make("/a");
  auto tree = open_this_way();
  remove("/a");
  const auto after = make("/a");
  // Known before the notice of the first one's end is read, which must not end the second.
  EXPECT_EQ(tree.path_of(after, 0), top_ + "/a");
  tree.handle_ready(0);
  EXPECT_NE(before, after);
  EXPECT_EQ(tree.path_of(before, kSecond), top_ + "/a");
  tree.handle_ready(100 * kSecond);
  EXPECT_EQ(tree.path_of(before, 100 * kSecond), std::nullopt);
  EXPECT_EQ(tree.path_of(after, 100 * kSecond), top_ + "/a");
}

TEST_P(EachWay, DoesNotKnowWhatDoesNotExist) {
  auto tree = open_this_way();
  EXPECT_EQ(tree.path_of(0, 0), std::nullopt);
  EXPECT_EQ(tree.path_of(UINT64_MAX, 0), std::nullopt);
}

TEST_P(EachWay, StaysWithinItsBoundAndFindsTheRestAllTheSame) {
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(make("/" + std::to_string(i)));
  auto tree = open_this_way({.max_entries = 4, .scan_interval_ns = kSecond});
  EXPECT_FALSE(tree.component().healthy);
  EXPECT_THAT(tree.component().reason, HasSubstr("more than 4"));
  std::int64_t now_ns = 0;
  for (int i = 0; i < 8; ++i) {
    now_ns += kSecond;
    EXPECT_EQ(tree.path_of(ids[i], now_ns), top_ + "/" + std::to_string(i));
    EXPECT_LE(tree.size(), 4U);
    EXPECT_EQ(seen_.size(), tree.size());
  }
}

TEST_P(EachWay, ScansAgainWhenNoticesWereLost) {
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int queued = 0;
  ASSERT_TRUE(limit >> queued);
  const auto kept = make("/kept");
  const auto removed = make("/removed");
  auto tree = open_this_way();
  // Equal notices in a row are one: so two names in turn.
  for (int i = 0; i <= queued / 4; ++i) {
    for (const char* name : {"/x", "/y"})
      ASSERT_EQ(::mkdir((mount_ + top_ + name).c_str(), 0755), 0);
    for (const char* name : {"/x", "/y"}) ASSERT_EQ(::rmdir((mount_ + top_ + name).c_str()), 0);
  }
  remove("/removed");
  const auto unheard = make("/unheard");
  tree.handle_ready(0);
  EXPECT_EQ(seen_[unheard], top_ + "/unheard");
  tree.handle_ready(100 * kSecond);
  EXPECT_EQ(seen_.count(removed), 0U);
  EXPECT_EQ(tree.path_of(kept, 100 * kSecond), top_ + "/kept");
}

INSTANTIATE_TEST_SUITE_P(Tree, EachWay, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "ByHandle" : "ByWatching"; });

// As root of a user namespace: the kernel refuses file handles there, and the number of watches
// can be lowered without harm to others.
void in_user_namespace(const std::function<void()>& body) {
  // Not fork() and unshare(): a sanitizer's own thread is in the way of that.
  const auto child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child < 0 && std::getenv("ORB8_REQUIRE_BPF") == nullptr) {
    GTEST_SKIP() << "user namespaces cannot be made here";
  }
  ASSERT_GE(child, 0) << std::strerror(errno);
  if (child == 0) {
    std::ofstream("/proc/self/uid_map") << "0 0 1";
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(child), &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Cgroups, AreScannedForWhereTheyCannotAllBeWatched) {
  for (const char* name : {"/a", "/b", "/c"}) make(name);
  in_user_namespace([this] {
    std::ofstream("/proc/sys/user/max_inotify_watches") << 2;
    auto tree = open({.grace_ns = 0, .scan_interval_ns = 5 * kSecond});
    EXPECT_FALSE(tree.component().healthy);
    EXPECT_THAT(tree.component().reason, HasSubstr("max_user_watches"));

    const auto id = make("/c/late");
    EXPECT_EQ(tree.path_of(id, 4 * kSecond), std::nullopt);  // not every miss may cost a scan
    EXPECT_EQ(tree.path_of(id, 5 * kSecond), top_ + "/c/late");
    remove("/c/late");
    tree.handle_ready(9 * kSecond);
    EXPECT_EQ(tree.path_of(id, 9 * kSecond), top_ + "/c/late");
    tree.handle_ready(10 * kSecond);
    EXPECT_EQ(tree.path_of(id, 10 * kSecond), std::nullopt);

    std::ofstream("/proc/sys/user/max_inotify_watches") << 10000;
    tree.handle_ready(15 * kSecond);
    EXPECT_TRUE(tree.component().healthy) << tree.component().reason;
  });
}

TEST_F(Cgroups, AreKnownWithoutFileHandlesAndWithoutNotices) {
  const auto id = make("/a");
  in_user_namespace([&] {
    std::ofstream("/proc/sys/user/max_inotify_instances") << 0;
    auto tree = open();
    EXPECT_EQ(tree.fd(), -1);
    EXPECT_EQ(tree.path_of(id, 0), top_ + "/a");
    EXPECT_FALSE(tree.component().healthy);
  });
}

TEST(CgroupTree, SaysWhichMountItCannotOpen) {
  const auto tree = CgroupTree::open({.mount = "/no/such/mount"}, 0);
  ASSERT_FALSE(tree);
  EXPECT_THAT(tree.error().what, HasSubstr("/no/such/mount"));
}

}  // namespace
}  // namespace orb8
