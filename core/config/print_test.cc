// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "core/base/unique_fd.h"
#include "core/config/load.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

class PrintConfig : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "orb8-print-XXXXXX").string();
    const UniqueFd made(::mkstemp(name.data()));
    ASSERT_TRUE(made);
    file_ = name;
  }
  void TearDown() override { std::filesystem::remove(file_); }

  Result<LoadedConfig> read_back(const std::string& text) const {
    std::ofstream(file_) << text;
    return load_config({.flags = {}, .environment = {}, .file = file_, .variables = {}});
  }

  std::string file_;
};

std::string any_of(std::mt19937& random, std::string_view letters, std::size_t most) {
  std::string text;
  for (auto left = 1 + random() % most; left > 0; --left)
    text += letters[random() % letters.size()];
  return text;
}

constexpr std::array<std::string_view, 30> kWords = {"socket",
                                                     "on",
                                                     "off",
                                                     "auto",
                                                     "tc",
                                                     "tcx",
                                                     "clsact",
                                                     "head",
                                                     "tail",
                                                     "error",
                                                     "warn",
                                                     "info",
                                                     "debug",
                                                     "all",
                                                     "node",
                                                     "logs",
                                                     "grpc",
                                                     "http/protobuf",
                                                     "gzip",
                                                     "none",
                                                     "never",
                                                     "always",
                                                     "interval",
                                                     "metrics",
                                                     "/a",
                                                     "/b: c",
                                                     "/d #e",
                                                     "/*",
                                                     "http://a.b:1/c",
                                                     "https://[::1]:2"};
// Among the names are those that YAML could take for something else: null, yes, 1e3, [*], ~.
constexpr std::array<std::string_view, 9> kOdd = {"null", "yes", "1e3", "[*]", "~",
                                                  "0x1f", "y",   "*",   "?"};

// Some value that the setting takes, found by trying.
std::vector<std::string> random_values(const Setting& setting, std::mt19937& random) {
  for (;;) {
    std::vector<std::string> values;
    switch (random() % 6) {
      case 0:
        values = {std::to_string(random() >> random() % 32)};
        break;
      case 1:
        values = {std::to_string(1U << random() % 32)};
        break;
      case 2:
        values = {std::string(kWords[random() % kWords.size()])};
        break;
      case 3:
        values = {std::string(kOdd[random() % kOdd.size()])};
        break;
      case 4:
        values = {any_of(random, "abcdefABCDEF0123456789.:-_[]", 20)};
        break;
      default:
        for (auto left = random() % 5; left > 0; --left) {
          values.push_back(any_of(random, "aet09.-_@*?[]!#&|>'\"%`{}~=\\", 15));
        }
    }
    Config config;
    if ((values.size() == 1 || (setting.list && !values.empty())) && setting.set(config, values)) {
      return values;
    }
  }
}

TEST_F(PrintConfig, SaysWhereEachValueIsFrom) {
  LoadedConfig loaded;
  loaded.config.node_name = "node-1";
  loaded.origins = {{"grpc_port", Origin::kFlag}, {"max_flows", Origin::kEnvironment}};
  const auto text = print_config(loaded);
  EXPECT_THAT(text, HasSubstr("grpc_port: 9090  # flag\n"));
  EXPECT_THAT(text, HasSubstr("max_flows: 100000  # environment\n"));
  EXPECT_THAT(text, HasSubstr("log_level: info  # default\n"));
}

TEST_F(PrintConfig, IsReadBackAsTheSameConfiguration) {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    LoadedConfig loaded;
    loaded.config.node_name = "node-1";
    for (const auto& setting : settings()) {
      if (random() % 4 == 0 || setting.secret) continue;
      setting.set(loaded.config, random_values(setting, random));
      loaded.origins[std::string(setting.key)] = static_cast<Origin>(random() % 4);
    }
    if (loaded.config.grpc_port == loaded.config.health_port) loaded.config.grpc_port = 0;
    const auto text = print_config(loaded);
    const auto again = read_back(text);
    ASSERT_TRUE(again) << again.error().what << "\n" << text;
    EXPECT_EQ(again->config, loaded.config) << text;
  }
}

TEST_F(PrintConfig, KeepsSecretsToItself) {
  LoadedConfig loaded;
  loaded.config.node_name = "node-1";
  loaded.config.otlp_headers = {"authorization=Bearer s3cret"};
  loaded.origins = {{"otlp_headers", Origin::kEnvironment}};
  const auto text = print_config(loaded);
  EXPECT_THAT(text, HasSubstr("# otlp_headers: (not shown)  # environment\n"));
  EXPECT_EQ(text.find("s3cret"), std::string::npos);
  EXPECT_TRUE(read_back(text)->config.otlp_headers.empty());
}

TEST_F(PrintConfig, LeavesInterfacesThatAreFoundAtStartUnnamed) {
  LoadedConfig loaded;
  loaded.config.node_name = "node-1";
  const auto text = print_config(loaded);
  EXPECT_THAT(text, HasSubstr("# interface: found at start  # default\n"));
  EXPECT_EQ(read_back(text)->config, loaded.config);
}

}  // namespace
}  // namespace orb8
