// SPDX-License-Identifier: Apache-2.0
#include "core/identity/cgroup_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kGrace = 60;

class Index : public ::testing::Test {
 protected:
  CgroupIndex index_{3, kGrace,
                     [this](const CgroupIndex::Cgroup& cgroup) { dropped_.push_back(cgroup.id); }};
  std::vector<std::uint64_t> dropped_;
};

TEST_F(Index, KeepsOneThatIsGoneForTheGracePeriod) {
  index_.add(1, "/a", 0);
  index_.mark_gone(*index_.find(1), 100);
  EXPECT_EQ(index_.live_at("/a"), nullptr);
  index_.expire(100 + kGrace - 1);
  ASSERT_NE(index_.find(1), nullptr);
  EXPECT_EQ(index_.find(1)->path, "/a");
  index_.expire(100 + kGrace);
  EXPECT_EQ(index_.find(1), nullptr);
  EXPECT_THAT(dropped_, ElementsAre(1));
}

TEST_F(Index, GivesAPathToItsNewOwnerAndKeepsTheOld) {
  index_.add(1, "/a", 0);
  index_.add(2, "/a", 10);
  EXPECT_EQ(index_.live_at("/a")->id, 2U);
  ASSERT_NE(index_.find(1), nullptr);
  EXPECT_TRUE(index_.find(1)->gone);
  EXPECT_THAT(dropped_, IsEmpty());
}

TEST_F(Index, DropsThoseThatAreGoneBeforeThoseThatLive) {
  index_.add(1, "/a", 0);
  index_.add(2, "/b", 0);
  index_.add(3, "/c", 0);
  index_.mark_gone(*index_.find(3), 1);
  index_.mark_gone(*index_.find(2), 2);
  index_.add(4, "/d", 3);
  index_.add(5, "/e", 3);
  EXPECT_THAT(dropped_, ElementsAre(3, 2));
  EXPECT_EQ(index_.size(), 3U);
}

TEST_F(Index, DropsTheLivingOneThatWasUsedLeast) {
  index_.add(1, "/a", 0);
  index_.add(2, "/b", 0);
  index_.add(3, "/c", 0);
  EXPECT_FALSE(index_.has_room());
  EXPECT_NE(index_.use(1), nullptr);
  index_.add(4, "/d", 0);
  EXPECT_THAT(dropped_, ElementsAre(2));
  EXPECT_EQ(index_.live_at("/b"), nullptr);
  EXPECT_NE(index_.live_at("/a"), nullptr);
}

TEST_F(Index, NamesThoseThatAScanDidNotMeet) {
  index_.add(1, "/a", 0).scan = 7;
  index_.add(2, "/b", 0).scan = 6;
  index_.add(3, "/c", 0).scan = 6;
  index_.mark_gone(*index_.find(3), 1);
  EXPECT_THAT(index_.missed_by(7), ElementsAre(2));
}

}  // namespace
}  // namespace orb8
