// SPDX-License-Identifier: Apache-2.0
#include "core/base/read_file.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

TEST(ReadFile, TakesAFileUpToItsBound) {
  const UniqueFd file(::memfd_create("read_file_test", MFD_CLOEXEC));
  const std::string text(10'000, 'x');
  ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  const auto path = "/proc/self/fd/" + std::to_string(file.get());
  EXPECT_EQ(read_file(path, 10'000, "read it"), text);
  const auto refused = read_file(path, 9'999, "read it");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kInvalid);
  EXPECT_EQ(refused.error().what, "read it: larger than 9999 bytes");
}

TEST(ReadFile, SaysWhyThereIsNone) {
  const auto absent = read_file("/no/such/file", 1, "read the token /no/such/file");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::kNotFound);
  EXPECT_EQ(absent.error().what, "read the token /no/such/file: No such file or directory");
  EXPECT_FALSE(read_file("/", 1, "read a folder"));
}

}  // namespace
}  // namespace orb8
