// The table of settings, and docs/CONFIG.md, which shows it.
// SPDX-License-Identifier: Apache-2.0
#include "core/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/documented.h"

namespace orb8 {
namespace {

TEST(Settings, AreKnownByDistinctNames) {
  std::set<std::string_view> keys;
  std::set<std::string_view> variables;
  for (const auto& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(variables.insert(setting.variable).second) << setting.variable;
    EXPECT_EQ(find_setting(setting.key), &setting);
  }
  EXPECT_EQ(find_setting("colour"), nullptr);
}

TEST(Settings, SayAllThatHelpAndMessagesShow) {
  for (const auto& setting : settings()) {
    EXPECT_FALSE(setting.allowed.empty()) << setting.key;
    EXPECT_FALSE(setting.value_name.empty()) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
    const auto values = setting.get(Config{});
    const bool has_default = !values.empty() && !values.front().empty();
    EXPECT_NE(has_default, !setting.default_words.empty()) << setting.key;
  }
}

TEST(Settings, GiveBackWhatTheyTake) {
  for (const auto& setting : settings()) {
    Config config;
    config.node_name = "node-1";
    config.interfaces = {"eth0", "veth*"};
    config.export_file = config.otlp_ca_file = config.otlp_cert_file = config.otlp_key_file = "/f";
    config.otlp_endpoint = "http://collector:4317";
    config.otlp_headers = {"api-key=1"};
    config.otlp_resource_attributes = {"k8s.cluster.name=one", "a=%2C"};
    const auto values = setting.get(config);
    Config other;
    ASSERT_TRUE(setting.set(other, values)) << setting.key;
    EXPECT_EQ(setting.get(other), values) << setting.key;
  }
}

TEST(Settings, ChangeNothingForAValueThatIsNotAllowed) {
  for (const auto& setting : settings()) {
    for (const char* text : {"", " ", "no such value", "a,b", "x\ny", "\xff"}) {
      Config config;
      const auto before = setting.get(config);
      EXPECT_FALSE(setting.set(config, {text})) << setting.key << " took '" << text << "'";
      EXPECT_EQ(setting.get(config), before) << setting.key;
    }
  }
}

// The bounds are in the words of each number's row: "a number from 1 to 65535".
TEST(Settings, TakeNumbersUpToTheBoundsTheyName) {
  int numbers = 0;
  for (const auto& setting : settings()) {
    unsigned long long least = 0;
    unsigned long long most = 0;
    if (std::sscanf(setting.allowed.c_str(), "a number from %llu to %llu", &least, &most) != 2) {
      continue;
    }
    ++numbers;
    Config config;
    const auto takes = [&](unsigned long long value) {
      return setting.set(config, {std::to_string(value)}) &&
             setting.get(config).front() == std::to_string(value);
    };
    EXPECT_TRUE(takes(least)) << setting.key;
    EXPECT_TRUE(takes(most)) << setting.key;
    EXPECT_FALSE(takes(most + 1)) << setting.key;
    if (least == 0) continue;
    EXPECT_FALSE(takes(least - 1)) << setting.key;
  }
  EXPECT_GE(numbers, 10);
}

TEST(Settings, TakeRingSizesThatArePowersOfTwo) {
  const auto* setting = find_setting("ring_buffer_size");
  const auto takes = [&](const std::string& size) {
    Config config;
    return setting->set(config, {size});
  };
  for (const char* size : {"65536", "64K", "1MiB", "256M"}) EXPECT_TRUE(takes(size)) << size;
  for (const char* size : {"32K", "65535", "100000", "3M", "512M", "1G", "1T", "0"}) {
    EXPECT_FALSE(takes(size)) << size;
  }
}

TEST(Settings, KeepAddressesInTheFormTheirServersNeed) {
  Config config;
  ASSERT_TRUE(find_setting("grpc_address")->set(config, {"fd00::1"}));
  ASSERT_TRUE(find_setting("health_address")->set(config, {"[fd00::1]"}));
  EXPECT_EQ(config.grpc_address, "[fd00::1]");
  EXPECT_EQ(config.health_address, "fd00::1");
  ASSERT_TRUE(find_setting("grpc_address")->set(config, {"127.0.0.1"}));
  EXPECT_EQ(config.grpc_address, "127.0.0.1");
}

TEST(Nearest, SuggestsOnlyWhatIsLikeIt) {
  const std::vector<std::string> known = {"status", "flows", "trace"};
  EXPECT_EQ(nearest("flwos", known), "flows");
  EXPECT_EQ(nearest("statsu", known), "status");
  EXPECT_EQ(nearest("delete-everything", known), "");
}

constexpr const char* kPage = "docs/CONFIG.md";  // tests run in the project's folder
constexpr std::string_view kBegin = "<!-- settings: made from the code, see settings_test.cc -->\n";
constexpr std::string_view kEnd = "<!-- end of settings -->\n";

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string settings_as_markdown() {
  std::string table =
      "| key | flag | variable | default | allowed | what it does |\n|---|---|---|---|---|---|\n";
  for (const auto& setting : settings()) {
    std::string fallback(setting.default_words);
    for (const auto& value : setting.get(Config{})) {
      if (!setting.default_words.empty()) break;
      fallback += (fallback.empty() ? "" : ", ") + code(value);
    }
    table += "| " + code(setting.key) + " | " + code(flag_of(setting)) + " | " +
             code(setting.variable) + " | " + fallback + " | " + setting.allowed + " | " +
             std::string(setting.help) + " |\n";
  }
  return table;
}

// ORB8_WRITE_DOCS=1 writes the page instead of comparing it.
TEST(Settings, AreAllInTheDocumentation) {
  expect_documented({.page = kPage, .begin = kBegin, .end = kEnd}, settings_as_markdown(),
                    "config_test");
}

}  // namespace
}  // namespace orb8
