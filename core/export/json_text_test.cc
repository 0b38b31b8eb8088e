// SPDX-License-Identifier: Apache-2.0
#include "core/export/json_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

namespace orb8 {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_quoted(text, out);
  return out;
}

std::string rfc3339(std::int64_t unix_ns) {
  std::string out;
  append_rfc3339(unix_ns, out);
  return out;
}

TEST(JsonText, QuotesAndEscapes) {
  EXPECT_EQ(in_quotes(""), R"("")");
  EXPECT_EQ(in_quotes("web-0"), R"("web-0")");
  EXPECT_EQ(in_quotes("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(in_quotes("\n\t\x01\x7f"), R"("\n\t\u0001\u007f")");
}

TEST(JsonText, EscapesWhatIsBeyondAscii) {
  EXPECT_EQ(in_quotes("k\xc3\xb6ln"), R"("k\u00f6ln")");
  EXPECT_EQ(in_quotes("\xe2\x82\xac"), R"("\u20ac")");
  EXPECT_EQ(in_quotes("\xf0\x9f\x90\x99"), R"("\ud83d\udc19")") << "two units of UTF-16";
  EXPECT_EQ(in_quotes("a\xff"), R"("a\ufffd")");
}

TEST(JsonText, FindsWhatToEscapeWhereverItIs) {
  for (std::size_t length = 1; length <= 40; ++length) {
    for (int c = 0; c < 0x80; ++c) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string text(length, 'a');
        text[at] = static_cast<char>(c);
        const auto quoted = in_quotes(text);
        const bool plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
        ASSERT_EQ(quoted.size() == length + 2, plain) << c << " at " << at << " of " << length;
        const auto read = nlohmann::json::parse(quoted).get<std::string>();
        ASSERT_EQ(read, text) << c << " at " << at << " of " << length;
      }
    }
  }
}

// Another reader of JSON finds the same text.
TEST(JsonText, IsReadBackAsItWas) {
  std::mt19937 random(5);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = std::uniform_int_distribution(0, 20)(random); i > 0; --i) {
      const auto point = std::uniform_int_distribution<char32_t>(0, 0x10FFFF)(random);
      if (point < 0x80) {
        text += static_cast<char>(point);
      } else if (point < 0x800) {
        text += static_cast<char>(0xC0 | point >> 6U);
        text += static_cast<char>(0x80 | (point & 0x3F));
      } else if (point >= 0x10000) {
        text += static_cast<char>(0xF0 | point >> 18U);
        text += static_cast<char>(0x80 | (point >> 12U & 0x3F));
        text += static_cast<char>(0x80 | (point >> 6U & 0x3F));
        text += static_cast<char>(0x80 | (point & 0x3F));
      }
    }
    ASSERT_EQ(nlohmann::json::parse(in_quotes(text)).get<std::string>(), text) << "round " << round;
  }
}

TEST(JsonText, WritesTimesInUtc) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(1'709'251'199'000'000'001), "2024-02-29T23:59:59.000000001Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(rfc3339(std::numeric_limits<std::int64_t>::max()), "2262-04-11T23:47:16.854775807Z");
}

TEST(JsonText, AgreesWithTheLibrarysCalendar) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 2000; ++round) {
    const std::time_t seconds =
        std::uniform_int_distribution<std::time_t>(0, 9'000'000'000)(random);
    std::tm parts = {};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    ASSERT_EQ(std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts), 19U);
    ASSERT_EQ(rfc3339(seconds * 1'000'000'000 + 7), std::string(text) + ".000000007Z");
  }
}

}  // namespace
}  // namespace orb8
