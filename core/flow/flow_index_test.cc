// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_index.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

namespace orb8 {
namespace {

FlowKey key_of(std::uint32_t slot) {
  return {.src_port = static_cast<std::uint16_t>(slot),
          .dst_port = static_cast<std::uint16_t>(slot >> 16U)};
}

// The keys as a table would keep them: slot n has key n.
class FlowIndexTest : public ::testing::Test {
 protected:
  FlowIndexTest() {
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) keys_.push_back(key_of(slot));
  }

  void insert(std::uint32_t slot) { index_.insert(FlowIndex::hash_of(keys_[slot]), slot); }
  void erase(std::uint32_t slot) { index_.erase(FlowIndex::hash_of(keys_[slot]), slot); }

  static constexpr std::uint32_t kSlots = 20'000;
  std::vector<FlowKey> keys_;
  FlowIndex index_{[this](std::uint32_t slot) -> const FlowKey& { return keys_[slot]; }};
};

TEST_F(FlowIndexTest, FindsWhatWasInsertedAndNothingElse) {
  EXPECT_EQ(index_.find(keys_[1]), FlowIndex::kNone);
  insert(1);
  EXPECT_EQ(index_.find(keys_[1]), 1U);
  EXPECT_EQ(index_.find(keys_[2]), FlowIndex::kNone);
  EXPECT_EQ(index_.size(), 1U);
}

TEST_F(FlowIndexTest, IgnoresTheRemovalOfWhatIsNotThere) {
  insert(1);
  erase(2);
  EXPECT_EQ(index_.size(), 1U);
  EXPECT_EQ(index_.find(keys_[1]), 1U);
}

TEST_F(FlowIndexTest, FindsEverythingWhileItGrowsAndShrinks) {
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) insert(slot);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) ASSERT_EQ(index_.find(keys_[slot]), slot);
  for (std::uint32_t slot = 0; slot < kSlots - 100; ++slot) erase(slot);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    ASSERT_EQ(index_.find(keys_[slot]), slot < kSlots - 100 ? FlowIndex::kNone : slot);
  }
}

TEST_F(FlowIndexTest, FindsTheSocketsOfAConnectionTogether) {
  keys_[1] = {.src_port = 5000, .dst_port = 80, .direction = Direction::kEgress, .socket = 7};
  keys_[2] = {.src_port = 5000, .dst_port = 80, .direction = Direction::kIngress, .socket = 8};
  insert(1);
  insert(2);
  keys_[3] = {.src_port = 5001, .dst_port = 80, .direction = Direction::kEgress, .socket = 7};
  insert(3);
  std::set<std::uint32_t> found;
  index_.for_each_between(keys_[1], [&](std::uint32_t slot) { found.insert(slot); });
  EXPECT_EQ(found, (std::set<std::uint32_t>{1, 2}));
}

TEST_F(FlowIndexTest, AgreesWithAMapOverRandomChanges) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    FlowIndex index([this](std::uint32_t slot) -> const FlowKey& { return keys_[slot]; });
    std::unordered_map<std::uint32_t, bool> there;
    // Near a fixed size, so that removal has long runs to repair.
    for (int step = 0; step < 50'000; ++step) {
      const auto slot = static_cast<std::uint32_t>(random() % 400);
      if (there[slot]) {
        index.erase(FlowIndex::hash_of(keys_[slot]), slot);
      } else {
        index.insert(FlowIndex::hash_of(keys_[slot]), slot);
      }
      there[slot] = !there[slot];
      const auto probe = static_cast<std::uint32_t>(random() % 400);
      ASSERT_EQ(index.find(keys_[probe]), there[probe] ? probe : FlowIndex::kNone);
    }
  }
}

}  // namespace
}  // namespace orb8
