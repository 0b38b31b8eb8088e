// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, DoublesUpToItsBoundAndBeginsAnewAfterAReset) {
  Backoff backoff({.first = 100ms, .most = 1000ms});
  for (const auto whole : {100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    const auto delay = backoff.next();
    EXPECT_GE(delay, whole / 2);
    EXPECT_LE(delay, whole);
  }
  EXPECT_EQ(backoff.tries(), 6U);
  backoff.reset();
  EXPECT_LE(backoff.next(), 100ms);
}

TEST(Backoff, DiffersFromClientToClient) {
  std::set<std::chrono::milliseconds> delays;
  for (int i = 0; i < 50; ++i) delays.insert(Backoff({.first = 1'000'000ms, .most = 1h}).next());
  EXPECT_GT(delays.size(), 10U);
}

}  // namespace
}  // namespace orb8::k8s
