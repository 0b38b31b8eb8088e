// SPDX-License-Identifier: Apache-2.0
#include "core/identity/process_names.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace orb8 {
namespace {

TEST(ProcessNames, AreThoseOfTheKernel) {
  std::string before(16, '\0');
  ASSERT_EQ(::prctl(PR_GET_NAME, before.data()), 0);
  ASSERT_EQ(::prctl(PR_SET_NAME, "a name\nof two"), 0);
  EXPECT_EQ(comm_of(static_cast<std::uint32_t>(::getpid()), ""), "a name\nof two");
  ASSERT_EQ(::prctl(PR_SET_NAME, before.c_str()), 0);
}

TEST(ProcessNames, AreAbsentForAProcessThatIsNot) {
  EXPECT_EQ(comm_of(0, ""), std::nullopt);
  EXPECT_EQ(comm_of(UINT32_MAX, ""), std::nullopt);
  EXPECT_EQ(comm_of(1, "/no/such/root"), std::nullopt);
}

}  // namespace
}  // namespace orb8
