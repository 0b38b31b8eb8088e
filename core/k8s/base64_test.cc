// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/base64.h"

#include <gtest/gtest.h>

namespace orb8::k8s {
namespace {

// RFC 4648, 10.
TEST(Base64, AgreesWithTheStandard) {
  for (const auto& [bytes, text] :
       {std::pair("", ""), std::pair("f", "Zg=="), std::pair("fo", "Zm8="),
        std::pair("foo", "Zm9v"), std::pair("foob", "Zm9vYg=="), std::pair("fooba", "Zm9vYmE="),
        std::pair("foobar", "Zm9vYmFy")}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, TakesAllBytesAndPassesOverLineFeeds) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  EXPECT_EQ(from_base64("Zm9v\r\n YmFy\n"), "foobar");
}

TEST(Base64, RefusesOtherCharactersAndCutEnds) {
  for (const char* text : {"Zg", "Zg=", "Zm9vY", "Z===", "====", "Zg==Zg==", "Zm9-", "Z\xff=="}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace orb8::k8s
