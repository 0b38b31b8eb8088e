// SPDX-License-Identifier: Apache-2.0
#include "cli/format.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>

namespace orb8 {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST(Format, SaysBytesInBinaryUnits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1'258'291), "1.2 MiB");
  EXPECT_EQ(human_bytes(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(Format, NeverPrintsAFullUnitOfTheNextOne) {
  EXPECT_EQ(human_bytes((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(1'048'524), "1023.9 KiB");
  EXPECT_EQ(human_bit_rate(125'000 - 1, 1), "1.0 Mbit/s");
}

TEST(Format, GroupsDigitsByThree) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1,000");
  EXPECT_EQ(human_count(1'234'567), "1,234,567");
  EXPECT_EQ(human_count(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Format, PutsOneInTheSingular) {
  EXPECT_EQ(count_of(0, "flow"), "0 flows");
  EXPECT_EQ(count_of(1, "flow"), "1 flow");
  EXPECT_EQ(count_of(1000, "flow"), "1,000 flows");
}

TEST(Format, SaysRatesInBitsAndDecimalUnits) {
  EXPECT_EQ(human_bit_rate(0, 1), "0 bit/s");
  EXPECT_EQ(human_bit_rate(98, 1), "784 bit/s");
  EXPECT_EQ(human_bit_rate(125, 1), "1.0 kbit/s");
  EXPECT_EQ(human_bit_rate(1'250'000, 0.5), "20.0 Mbit/s");
  EXPECT_EQ(human_bit_rate(12'500'000'000, 1), "100.0 Gbit/s");
  EXPECT_EQ(human_bit_rate(std::numeric_limits<std::uint64_t>::max(), 1), "147573952.6 Tbit/s");
}

TEST(Format, HasNoRateWithoutATime) {
  EXPECT_EQ(human_bit_rate(98, 0), "-");
  EXPECT_EQ(human_bit_rate(98, -1), "-");
}

TEST(Format, SaysDurationsInTheirTwoLargestUnits) {
  EXPECT_EQ(human_duration(0), "0s");
  EXPECT_EQ(human_duration(59), "59s");
  EXPECT_EQ(human_duration(192), "3m12s");
  EXPECT_EQ(human_duration(7500), "2h05m");
  EXPECT_EQ(human_duration(273'600), "3d04h");
}

TEST(Format, SaysShortDurationsAsTheyWereGiven) {
  EXPECT_EQ(short_duration(milliseconds(500)), "500ms");
  EXPECT_EQ(short_duration(milliseconds(1500)), "1.5s");
  EXPECT_EQ(short_duration(milliseconds(2000)), "2s");
  EXPECT_EQ(short_duration(milliseconds(90'000)), "1m30s");
}

TEST(Format, ReadsDurations) {
  EXPECT_EQ(parse_duration("30s"), milliseconds(30'000));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("24000h"), milliseconds(86'400'000'000));
  EXPECT_EQ(parse_duration("45"), milliseconds(45'000)) << "a bare number is in seconds";
}

TEST(Format, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"", "0", "0s", "s", "-1s", "+1s", "1", "1.5s", "1s2", "5 s", " 5s", "5s ", "1d", "1sm",
        "1x", "24001h", "99999999999999999999s", "9223372036854775807ms", "1h1h1h-"}) {
    if (std::string_view(text) == "1") continue;  // seconds
    EXPECT_FALSE(parse_duration(text)) << "'" << text << "'";
  }
}

TEST(Format, ReadsDurationsOfLessThanAMillisecond) {
  EXPECT_EQ(parse_fine_duration("250us"), microseconds(250));
  EXPECT_EQ(parse_fine_duration("1ms500us"), microseconds(1500));
  EXPECT_EQ(parse_fine_duration("2s"), microseconds(2'000'000));
  EXPECT_FALSE(parse_fine_duration("0us"));
  EXPECT_FALSE(parse_fine_duration("250ns"));
  EXPECT_FALSE(parse_duration("250us")) << "elsewhere a millisecond is the least";
}

TEST(Format, RefusesADurationWhoseSumDoesNotFit) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "24000h";
  EXPECT_FALSE(parse_duration(text));
}

TEST(Format, SaysRoundTripTimesInTheUnitThatSuits) {
  EXPECT_EQ(human_micros(0), "0us");
  EXPECT_EQ(human_micros(350), "350us");
  EXPECT_EQ(human_micros(999), "999us");
  EXPECT_EQ(human_micros(1000), "1.0ms");
  EXPECT_EQ(human_micros(1234), "1.2ms");
  EXPECT_EQ(human_micros(999'940), "999.9ms");
  EXPECT_EQ(human_micros(999'960), "1.0s");
  EXPECT_EQ(human_micros(3'000'000'000), "3000.0s");
}

TEST(Format, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("web-0"), "web-0");
  EXPECT_EQ(printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a\\x0ab\\x09c\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m")
      << "C1's CSI";
}

TEST(Format, KeepsUtf8AndEscapesWhatIsNone) {
  EXPECT_EQ(printable("köln-…-日本-🐝"), "köln-…-日本-🐝");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xe2\x80x"), "\\xe2\\x80x");
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(Format, MeasuresCodePoints) {
  EXPECT_EQ(display_width(""), 0U);
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("kö…"), 3U);
}

TEST(Format, ShortensInTheMiddleOnlyWhatIsTooLong) {
  EXPECT_EQ(shorten_middle("0123456789", 10), "0123456789");
  EXPECT_EQ(shorten_middle("0123456789", 9), "0123…6789");
  EXPECT_EQ(shorten_middle("0123456789", 4), "01…9");
  EXPECT_EQ(shorten_middle("0123456789", 1), "…");
  EXPECT_EQ(shorten_middle("ääääääääää", 5), "ää…ää");
}

TEST(Format, CutsBetweenCodePoints) {
  EXPECT_EQ(cut("abc", 5), "abc");
  EXPECT_EQ(cut("abc", 2), "ab");
  EXPECT_EQ(cut("äöü", 2), "äö");
}

}  // namespace
}  // namespace orb8
