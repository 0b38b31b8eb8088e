// What a test needs of the machine that runs it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

// Skips the test with a word where this machine lacks something; where ORB8_REQUIRE_BPF is set, as
// in CI, that is a failure.
#define ORB8_NEED(condition, what)                                    \
  if (!(condition)) {                                                 \
    if (std::getenv("ORB8_REQUIRE_BPF") != nullptr) FAIL() << (what); \
    GTEST_SKIP() << (what);                                           \
  }                                                                   \
  static_assert(true)
