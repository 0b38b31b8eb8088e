// SPDX-License-Identifier: Apache-2.0
#include "core/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace orb8 {
namespace {

TEST(Result, SaysWhatFailedAndWhy) {
  const Result<int> result = sys_error(ENODEV, "attach tcx to eth9");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "attach tcx to eth9: No such device");
  EXPECT_EQ(result.error().sys, ENODEV);
}

TEST(Result, TellsTheCallerWhatItCanDoAboutAnErrno) {
  const auto code = [](int err) { return sys_error(err, "x").error().code; };
  EXPECT_EQ(code(EPERM), Errc::kDenied);
  EXPECT_EQ(code(EACCES), Errc::kDenied);
  EXPECT_EQ(code(ENOENT), Errc::kNotFound);
  EXPECT_EQ(code(EOPNOTSUPP), Errc::kUnsupported);
  EXPECT_EQ(code(ENOSPC), Errc::kExhausted);
  EXPECT_EQ(code(EBUSY), Errc::kUnavailable);
  EXPECT_EQ(code(EIO), Errc::kInternal);
}

TEST(Result, FailsWithoutAnErrno) {
  const Result<void> result = fail(Errc::kInvalid, "port 0 is not a port");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::kInvalid);
  EXPECT_EQ(result.error().sys, 0);
}

}  // namespace
}  // namespace orb8
