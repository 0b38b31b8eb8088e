// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/owners_pool.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace orb8 {
namespace {

EndpointRef pod(const char* name) {
  return std::make_shared<const Endpoint>(Endpoint{EndpointKind::kPod, "shop", name});
}

TEST(OwnersPool, GivesTheSameForTheSameNames) {
  OwnersPool pool;
  const auto web = pod("web-0");
  const auto db = pod("db-0");
  const auto first = pool.share({.src = web, .dst = db});
  EXPECT_EQ(&*pool.share({.src = web, .dst = db}), &*first);
  EXPECT_NE(&*pool.share({.src = db, .dst = web}), &*first);
  EXPECT_NE(&*pool.share({.src = web, .dst = db, .dst_service = db}), &*first);
  EXPECT_EQ(first->src->name, "web-0");
  EXPECT_EQ(pool.size(), 3U);
}

TEST(OwnersPool, LetsThoseGoThatNobodyHolds) {
  constexpr int kMany = 10'000;
  OwnersPool pool;
  const auto web = pod("web-0");
  std::vector<FlowOwnersRef> held;
  for (int i = 0; i < kMany; ++i) {
    const auto owners = pool.share({.src = web, .dst = pod("client")});
    if (i < 10) held.push_back(owners);
  }
  EXPECT_LT(pool.size(), 1100U);
  for (const auto& owners : held) EXPECT_EQ(&*pool.share(*owners), &*owners);
}

}  // namespace
}  // namespace orb8
