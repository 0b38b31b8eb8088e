// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <gtest/gtest.h>

#include "cli/format.h"

namespace orb8 {
namespace {

const Row kRow = {"TCP", "10.0.0.1:1234", "[2001:db8:1234:5678:9abc:def0:1234:5678]:443", "12"};

Table table_for(std::size_t terminal_width) {
  Table table({{.header = "PROTO"},
               {.header = "SOURCE", .shrinks = true},
               {.header = "DESTINATION", .shrinks = true},
               {.header = "PACKETS", .align = Align::kRight, .leaves = 1}},
              terminal_width);
  table.measure(kRow);
  return table;
}

TEST(Table, PadsToTheWidestCellAndLeavesNoBlanksAtTheEnd) {
  const auto table = table_for(0);
  EXPECT_EQ(table.header(),
            "PROTO  SOURCE         DESTINATION                                   PACKETS");
  EXPECT_EQ(table.line(kRow),
            "TCP    10.0.0.1:1234  [2001:db8:1234:5678:9abc:def0:1234:5678]:443       12");
  EXPECT_EQ(table.line({"UDP", "10.0.0.1:1", "10.0.0.2:2", ""}),
            "UDP    10.0.0.1:1     10.0.0.2:2");
}

TEST(Table, IsNotTruncatedWhereThereIsNoTerminal) {
  Table table({{.header = "NAME", .shrinks = true}}, 0);
  const std::string long_name(300, 'x');
  table.measure({long_name});
  EXPECT_EQ(table.line({long_name}), long_name);
}

TEST(Table, ShortensLongAddressesInTheMiddleWhenTheTerminalForcesIt) {
  const auto table = table_for(60);
  EXPECT_EQ(table.header(), "PROTO  SOURCE         DESTINATION                    PACKETS");
  EXPECT_EQ(table.line(kRow), "TCP    10.0.0.1:1234  [2001:db8:1234…1234:5678]:443       12");
}

TEST(Table, FillsATerminalExactlyAsWideAsItNeeds) {
  EXPECT_EQ(table_for(75).line(kRow), table_for(0).line(kRow));
  EXPECT_EQ(display_width(table_for(74).header()), 74U);
}

TEST(Table, GivesUpWideGapsThenColumnsBeforeItShortensAnIpv4Address) {
  Table table({{.header = "SOURCE", .width = 21, .shrinks = true},
               {.header = "DIR", .leaves = 1},
               {.header = "RATE", .leaves = 2}},
              32);
  EXPECT_EQ(table.header(), "SOURCE                 DIR  RATE");
  table.set_terminal_width(31);
  EXPECT_EQ(table.header(), "SOURCE                DIR RATE");
  table.set_terminal_width(29);
  EXPECT_EQ(table.header(), "SOURCE                DIR");
  table.set_terminal_width(24);
  EXPECT_EQ(table.header(), "SOURCE");
  table.set_terminal_width(12);
  EXPECT_EQ(table.line({"255.255.255.255:65535", "in", "1"}), "255.25…65535");
}

TEST(Table, NeverMakesALineWiderThanTheTerminal) {
  for (std::size_t width = 1; width < 90; ++width) {
    const auto table = table_for(width);
    EXPECT_LE(display_width(table.line(kRow)), width);
    EXPECT_LE(display_width(table.header()), width);
  }
}

TEST(Table, MakesNamesHarmless) {
  Table table({{.header = "POD"}, {.header = "X"}}, 0);
  const Row row = {"\x1b]0;own\a", "1"};
  table.measure(row);
  EXPECT_EQ(table.header(), "POD             X");
  EXPECT_EQ(table.line(row), "\\x1b]0;own\\x07  1");
}

TEST(Table, LaysOutAnewWhenTheTerminalOrTheContentGrows) {
  Table table({{.header = "A", .shrinks = true}, {.header = "B"}}, 11);
  table.measure({"0123456789abcdef", "b"});
  EXPECT_EQ(table.line({"0123456789abcdef", "b"}), "0123…cdef b");
  table.set_terminal_width(19);
  EXPECT_EQ(table.line({"0123456789abcdef", "b"}), "0123456789abcdef  b");
  table.measure({"", "bbbbbbbb"});
  EXPECT_EQ(table.line({"0123456789abcdef", "b"}), "01234…cdef b");
}

}  // namespace
}  // namespace orb8
