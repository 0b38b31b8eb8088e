// SPDX-License-Identifier: Apache-2.0
#include "core/identity/addr_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

namespace orb8 {
namespace {

using Table = AddrTable<std::shared_ptr<int>>;

TEST(AddrTable, FindsNothingWhereNothingIs) {
  Table table;
  EXPECT_EQ(table.find(Addr::v4(10, 0, 0, 1)), nullptr);
  table.set(Addr::v4(10, 0, 0, 1), nullptr);
  EXPECT_EQ(table.size(), 0U);
}

// Few addresses in a table that grows from nothing, so that they push each other about.
TEST(AddrTable, HoldsWhatAMapWouldAfterRandomChanges) {
  std::mt19937 random(7);
  Table table;
  std::map<Addr, int> model;
  for (int i = 0; i < 200'000; ++i) {
    const auto addr = Addr::v4(10, 0, static_cast<std::uint8_t>(random() % 2),
                               static_cast<std::uint8_t>(random()));
    if (random() % 2 == 0) {
      table.set(addr, std::make_shared<int>(i));
      model[addr] = i;
    } else {
      table.set(addr, nullptr);
      model.erase(addr);
    }
    ASSERT_EQ(table.size(), model.size());
    const auto asked = Addr::v4(10, 0, static_cast<std::uint8_t>(random() % 2),
                                static_cast<std::uint8_t>(random()));
    const auto* found = table.find(asked);
    const auto expected = model.find(asked);
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found != nullptr) {
      ASSERT_EQ(**found, expected->second);
    }
  }
}

}  // namespace
}  // namespace orb8
