// For tests: a page of the documentation has a part that is made from the code.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace orb8 {

// What `page` (a path in the project's folder, where tests run) has between two lines.
struct DocumentedPart {
  const char* page;
  std::string_view begin;
  std::string_view end;
};

// Expects `made` there. With ORB8_WRITE_DOCS=1 it is written instead; `program` is the test that
// does.
inline void expect_documented(const DocumentedPart& part, const std::string& made,
                              std::string_view program) {
  std::ifstream in(part.page);
  ASSERT_TRUE(in) << part.page;
  std::string page((std::istreambuf_iterator<char>(in)), {});
  const auto begin = page.find(part.begin);
  const auto end = page.find(part.end);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const auto from = begin + part.begin.size();
  if (std::getenv("ORB8_WRITE_DOCS") != nullptr) {
    page.replace(from, end - from, made);
    std::ofstream(part.page) << page;
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), made)
      << "the page is behind the code: run ORB8_WRITE_DOCS=1 build/release/tests/" << program
      << " --gtest_filter='*Documentation'";
}

}  // namespace orb8
