// SPDX-License-Identifier: Apache-2.0
#include "core/config/values.h"

#include <gtest/gtest.h>

#include <string>

namespace orb8 {
namespace {

TEST(ParseUnsigned, TakesNothingButDigits) {
  EXPECT_EQ(parse_unsigned("0"), 0U);
  EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "1e3", "1_000",
                           "18446744073709551616", "99999999999999999999"}) {
    EXPECT_EQ(parse_unsigned(text), std::nullopt) << "'" << text << "'";
  }
}

TEST(ParseSize, KnowsBinaryUnits) {
  EXPECT_EQ(parse_size("1K"), 1024U);
  EXPECT_EQ(parse_size("1MiB"), 1U << 20U);
  EXPECT_EQ(parse_size("2GiB"), 2U << 30U);
  EXPECT_EQ(parse_size("K"), std::nullopt);
  EXPECT_EQ(parse_size("1MB"), std::nullopt);
  EXPECT_EQ(parse_size("1 M"), std::nullopt);
}

TEST(ParseSize, RefusesWhatOverflows) {
  EXPECT_EQ(parse_size("17179869183G"), 17'179'869'183U << 30U);
  EXPECT_EQ(parse_size("17179869184G"), std::nullopt);
}

TEST(ParseHost, TakesAddressesOfBothFamilies) {
  EXPECT_EQ(parse_host("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(parse_host("::"), "::");
  EXPECT_EQ(parse_host("[fd00::1]"), "fd00::1");
}

TEST(ParseHost, TellsAHostNameFromAMistypedAddress) {
  EXPECT_EQ(parse_host("localhost"), "localhost");
  EXPECT_EQ(parse_host("node-1.example.org"), "node-1.example.org");
  for (const char* text :
       {"", "10.0.0", "10.0.0.256", "fd00:::1", "[10.0.0.1]", "[]", "[::", "a..b", "-a", "a-",
        "a b", "host:9090", "127.0.0.1:9090", "https://host", "a/24"}) {
    EXPECT_EQ(parse_host(text), std::nullopt) << "'" << text << "'";
  }
  EXPECT_EQ(parse_host(std::string(64, 'a')), std::nullopt);
  EXPECT_EQ(parse_host(std::string_view("::\0", 3)), std::nullopt);
}

TEST(IsNodeName, TakesWhatKubernetesAndMachinesAreCalled) {
  EXPECT_TRUE(is_node_name("ip-10-0-0-1.ec2.internal"));
  EXPECT_TRUE(is_node_name("my_box"));
  EXPECT_FALSE(is_node_name(""));
  EXPECT_FALSE(is_node_name("a b"));
  EXPECT_FALSE(is_node_name("a\nb"));
  EXPECT_TRUE(is_node_name(std::string(253, 'a')));
  EXPECT_FALSE(is_node_name(std::string(254, 'a')));
}

TEST(IsInterfaceGlob, TakesWhatTheKernelCouldCallAnInterface) {
  EXPECT_TRUE(is_interface_glob("eth0"));
  EXPECT_TRUE(is_interface_glob("eth0.100@x"));
  EXPECT_TRUE(is_interface_glob("fifteen-letters"));
  EXPECT_FALSE(is_interface_glob("sixteen-letters-"));
  EXPECT_TRUE(is_interface_glob("[ev]*[0123456789]"));
  for (const char* text : {"", "a b", "a/b", "a:b", "a,b", "a\nb", "\xff"}) {
    EXPECT_FALSE(is_interface_glob(text)) << "'" << text << "'";
  }
}

TEST(OneLine, ShowsWhatCannotBePrinted) {
  EXPECT_EQ(one_line("70000"), "70000");
  EXPECT_EQ(one_line("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(one_line(std::string_view("\0\xff", 2)), "\\x00\\xff");
}

TEST(OneLine, CutsALongText) {
  EXPECT_EQ(one_line(std::string(200, 'a')), std::string(200, 'a'));
  EXPECT_EQ(one_line(std::string(1'000'000, 'a')), std::string(200, 'a') + "...");
}

TEST(Values, TakeUrlsOfHttpAndNothingElse) {
  for (const char* url : {"http://collector", "http://collector:4317", "https://a.b.c:443/v1/x",
                          "http://10.0.0.1:1", "https://[::1]:4317", "http://a/"}) {
    EXPECT_TRUE(is_http_url(url)) << url;
  }
  for (const char* url :
       {"", "collector:4317", "ftp://collector", "http://", "http:///path", "http://a:0",
        "http://a:65536", "http://a:", "http://a b", "http://me:secret@a", "http://a/?q",
        "http://a/#f", "http://::1", "http://a\n", "HTTP://a", "http://-a"}) {
    EXPECT_FALSE(is_http_url(url)) << url;
  }
}

TEST(Values, TakeAttributesAsOpenTelemetryWritesThem) {
  using Attribute = std::pair<std::string, std::string>;
  EXPECT_EQ(parse_attribute("k8s.cluster.name=one"), Attribute("k8s.cluster.name", "one"));
  EXPECT_EQ(parse_attribute(" a = b c "), Attribute("a", "b c"));
  EXPECT_EQ(parse_attribute("a=b=c"), Attribute("a", "b=c"));
  EXPECT_EQ(parse_attribute("a=%2C%25%3d+%C3%BC"), Attribute("a", ",%=+\xc3\xbc"));
  EXPECT_EQ(parse_attribute("a="), Attribute("a", ""));
  for (const char* text : {"", "a", "=b", " =b", "a b=c", "a=%", "a=%4", "a=%4g", "a=%-1", "a=%0x",
                           "a=b\nc", "a=\xff", "\xff=a"}) {
    EXPECT_FALSE(parse_attribute(text)) << text;
  }
}

TEST(Values, TakeHeadersThatEndNoLine) {
  for (const char* header : {"api-key=1", "authorization=Bearer a=b==", "X-Scope=a b;c"}) {
    EXPECT_TRUE(is_header(header)) << header;
  }
  for (const char* header : {"", "a", "=b", "a=", "a b=c", "a:b=c", "a=b\r\nc: d", "a= b", "a=b ",
                             "a=b,c", "a=\xc3\xb6"}) {
    EXPECT_FALSE(is_header(header)) << header;
  }
}

TEST(Values, TakePathsOfFilesFromTheRootOn) {
  for (const char* path : {"/a", "/var/log/flows.json", "/with a blank"}) {
    EXPECT_TRUE(is_absolute_path(path)) << path;
  }
  for (const char* path : {"", "/", "a", "./a", "/a/", "/a\nb"}) {
    EXPECT_FALSE(is_absolute_path(path)) << path;
  }
}

}  // namespace
}  // namespace orb8
