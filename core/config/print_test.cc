// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/config/config_file.h"
#include "core/config/load.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

Config read_back(const std::string& text) {
  const auto values = parse_config_file("printed", text);
  EXPECT_TRUE(values) << values.error().what;
  Config config;
  for (const auto& [key, value] : *values) {
    EXPECT_TRUE(find_setting(key)->set(config, value.values)) << key;
  }
  return config;
}

void expect_same(const Config& a, const Config& b) {
  for (const auto& setting : settings()) EXPECT_EQ(setting.get(a), setting.get(b)) << setting.key;
}

TEST(PrintConfig, SaysWhereEachValueIsFrom) {
  LoadedConfig loaded;
  loaded.config.node_name = "node-1";
  loaded.origins = {{"grpc_port", Origin::kFlag}, {"max_flows", Origin::kEnvironment}};
  const auto text = print_config(loaded);
  EXPECT_THAT(text, HasSubstr("grpc_port: 9090  # flag\n"));
  EXPECT_THAT(text, HasSubstr("max_flows: 100000  # environment\n"));
  EXPECT_THAT(text, HasSubstr("log_level: info  # default\n"));
}

TEST(PrintConfig, IsReadBackAsTheSameConfiguration) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    LoadedConfig loaded;
    auto& config = loaded.config;
    config.node_name = round % 2 == 0 ? "node: '1' # x" : "yes";
    config.grpc_port = static_cast<std::uint16_t>(random());
    config.max_flows = 1 + random() % 10'000'000;
    config.ring_buffer_size = 65536U << random() % 12;
    config.flow_source = random() % 2 == 0 ? FlowSourceChoice::kAuto : FlowSourceChoice::kTc;
    config.log_level = static_cast<LogLevel>(random() % 4);
    for (unsigned i = random() % 4; i > 0; --i)
      config.interfaces.push_back("veth*" + std::to_string(i));
    expect_same(read_back(print_config(loaded)), config);
  }
}

}  // namespace
}  // namespace orb8
