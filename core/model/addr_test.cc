// SPDX-License-Identifier: Apache-2.0
#include "core/model/addr.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace orb8 {
namespace {

std::string reprinted(std::string_view text) {
  const auto addr = parse_addr(text);
  return addr ? to_string(*addr) : "no address";
}

std::string prefix_reprinted(std::string_view text) {
  const auto prefix = parse_prefix(text);
  return prefix ? to_string(*prefix) : "no prefix";
}

// Of a text that is none: all zeros, which no test takes for what it expects.
Addr addr_of(std::string_view text) {
  return parse_addr(text).value_or(Addr{});
}

Prefix prefix_of(std::string_view text) {
  return parse_prefix(text).value_or(Prefix{});
}

bool contains(std::string_view prefix, std::string_view addr) {
  return prefix_of(prefix).contains(addr_of(addr));
}

TEST(Addr, KeepsIpv4Mapped) {
  const auto addr = addr_of("10.1.2.3");
  EXPECT_EQ(addr, Addr::v4(10, 1, 2, 3));
  EXPECT_TRUE(addr.is_v4());
  EXPECT_EQ(addr.bytes[10], 0xff);
  EXPECT_EQ(addr.bytes[12], 10);
}

TEST(Addr, ReadsBothFamiliesInAnyForm) {
  EXPECT_EQ(reprinted("0.0.0.0"), "0.0.0.0");
  EXPECT_EQ(reprinted("255.255.255.255"), "255.255.255.255");
  EXPECT_EQ(reprinted("::"), "::");
  EXPECT_EQ(reprinted("::1"), "::1");
  EXPECT_EQ(reprinted("fe80::1"), "fe80::1");
  EXPECT_EQ(reprinted("::10.0.0.1"), "::10.0.0.1");
  EXPECT_EQ(reprinted("1::ffff:a00:1"), "1::ffff:a00:1");
  EXPECT_EQ(reprinted("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(reprinted("::ffff:a00:1"), "10.0.0.1");
  EXPECT_EQ(reprinted("64:ff9b::10.0.0.1"), "64:ff9b::a00:1");
}

TEST(Addr, PrintsIpv6AsRfc5952Says) {
  EXPECT_EQ(reprinted("2001:0DB8:0:0:0:0:0:00AB"), "2001:db8::ab");      // short, lower case
  EXPECT_EQ(reprinted("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run of zeros
  EXPECT_EQ(reprinted("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // of two alike, the first
  EXPECT_EQ(reprinted("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // a single one stays
}

TEST(Addr, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      " ",
                                      "10.0.0",
                                      "10.0.0.256",
                                      "10.0.0.1.2",
                                      "010.0.0.1",
                                      "0x0a.0.0.1",
                                      " 10.0.0.1",
                                      "10.0.0.1 ",
                                      "10.0.0.1/8",
                                      "1",
                                      "localhost",
                                      ":",
                                      ":::",
                                      "1::2::3",
                                      "12345::",
                                      "::g",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "fe80::1%eth0",
                                      "[::1]"}) {
    EXPECT_FALSE(parse_addr(text)) << '"' << text << '"';
  }
  EXPECT_FALSE(parse_addr(std::string_view("10.0.0.1\0.9", 11)));
}

TEST(Addr, TellsTheFamilies) {
  EXPECT_FALSE(addr_of("::").is_v4());
  EXPECT_FALSE(addr_of("::10.0.0.1").is_v4());  // compatible, not mapped
  EXPECT_FALSE(addr_of("1::ffff:a00:1").is_v4());
}

TEST(Addr, KnowsLoopback) {
  for (const auto* text : {"127.0.0.1", "127.255.0.9", "::1"}) {
    EXPECT_TRUE(addr_of(text).is_loopback()) << text;
  }
  for (const auto* text : {"126.0.0.1", "128.0.0.1", "::", "::2", "::7f00:1"}) {
    EXPECT_FALSE(addr_of(text).is_loopback()) << text;
  }
}

TEST(Prefix, CountsTheBitsOfTheMappedForm) {
  EXPECT_EQ(prefix_of("10.0.0.0/8").length, 104);
  EXPECT_EQ(prefix_of("10.0.0.1").length, 128);
  EXPECT_EQ(prefix_of("0.0.0.0/0").length, 96);
  EXPECT_EQ(prefix_of("fd00::/8").length, 8);
  EXPECT_EQ(prefix_of("fd00::1").length, 128);
}

TEST(Prefix, ClearsTheHostBits) {
  EXPECT_EQ(prefix_reprinted("10.1.2.3/8"), "10.0.0.0/8");
  EXPECT_EQ(prefix_reprinted("10.1.2.255/25"), "10.1.2.128/25");
  EXPECT_EQ(prefix_reprinted("10.1.2.3/0"), "0.0.0.0/0");
  EXPECT_EQ(prefix_reprinted("10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(prefix_reprinted("fd12:3456::1/9"), "fd00::/9");
  EXPECT_EQ(prefix_reprinted("::1"), "::1/128");
}

TEST(Prefix, ReadsTheMappedNotationAsIpv4) {
  EXPECT_EQ(prefix_reprinted("::ffff:10.1.2.3/104"), "10.0.0.0/8");
  EXPECT_EQ(prefix_reprinted("::ffff:10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(prefix_reprinted("::ffff:0:0/96"), "0.0.0.0/0");
  EXPECT_EQ(prefix_reprinted("::ffff:0:0/95"), "::fffe:0:0/95");
}

TEST(Prefix, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
        "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.0/0x8", "10.0.0.0/255.0.0.0", "10/8", "::/129",
        "::/4294967296", "fd00::/8x", "host/8"}) {
    EXPECT_FALSE(parse_prefix(text)) << '"' << text << '"';
  }
}

TEST(Prefix, ContainsWhatSharesItsBits) {
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.1.128/25", "192.168.1.200"));
  EXPECT_FALSE(contains("192.168.1.128/25", "192.168.1.127"));
  EXPECT_TRUE(contains("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(contains("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
  EXPECT_FALSE(contains("fd00::/8", "fe80::1"));
}

TEST(Prefix, KeepsTheFamiliesApart) {
  EXPECT_TRUE(contains("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  // The mapped form of IPv4 lies within these.
  EXPECT_TRUE(contains("::/0", "2001:db8::1"));
  EXPECT_FALSE(contains("::/0", "8.8.8.8"));
  EXPECT_TRUE(contains("::/80", "::1"));
  EXPECT_FALSE(contains("::/80", "8.8.8.8"));
  EXPECT_FALSE(contains("::fffe:0:0/95", "8.8.8.8"));
}

}  // namespace
}  // namespace orb8
