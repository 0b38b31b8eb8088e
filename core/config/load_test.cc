// SPDX-License-Identifier: Apache-2.0
#include "core/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/config/config_file.h"
#include "core/config/settings.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "orb8-config-XXXXXX").string();
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    file_ = name;
  }
  void TearDown() override { std::filesystem::remove(file_); }

  void write_file(const std::string& text) { std::ofstream(file_) << text; }

  Result<LoadedConfig> load() {
    return load_config({.flags = flags_,
                        .environment =
                            [this](const std::string& name) {
                              const auto found = environment_.find(name);
                              return found == environment_.end() ? nullptr : found->second.c_str();
                            },
                        .file = file_});
  }

  std::string error() {
    const auto loaded = load();
    return loaded ? "no error" : loaded.error().what;
  }

  std::string file_;
  std::map<std::string, std::string> environment_;
  std::map<std::string, std::vector<std::string>> flags_;
};

TEST_F(Load, HasTheDocumentedDefaults) {
  const auto config = load()->config;
  EXPECT_EQ(config.grpc_port, 9090);
  EXPECT_EQ(config.health_port, 9091);
  EXPECT_EQ(config.max_flows, 100'000U);
  EXPECT_EQ(config.flow_timeout_secs, 30U);
  EXPECT_EQ(config.max_pod_cache, 10'000U);
  EXPECT_EQ(config.broadcast_channel_size, 1000U);
  EXPECT_EQ(config.poll_interval_ms, 100U);
  EXPECT_EQ(config.max_batch_size, 1024U);
  EXPECT_EQ(config.shutdown_timeout_secs, 10U);
  EXPECT_EQ(config.expiration_interval_secs, 10U);
  EXPECT_EQ(config.max_query_limit, 10'000U);
  EXPECT_EQ(config.ring_buffer_size, 1U << 20U);
  EXPECT_FALSE(config.node_name.empty()) << "the host's name";
}

TEST_F(Load, PrefersFlagsToTheEnvironmentToTheFile) {
  write_file("grpc_port: 1\nhealth_port: 1\nmax_flows: 1\n");
  environment_ = {{"ORB8_GRPC_PORT", "2"}, {"ORB8_HEALTH_PORT", "2"}};
  flags_ = {{"grpc_port", {"3"}}};
  const auto loaded = *load();
  EXPECT_EQ(loaded.config.grpc_port, 3);
  EXPECT_EQ(loaded.config.health_port, 2);
  EXPECT_EQ(loaded.config.max_flows, 1U);
  EXPECT_EQ(loaded.origins.at("grpc_port"), Origin::kFlag);
  EXPECT_EQ(loaded.origins.at("health_port"), Origin::kEnvironment);
  EXPECT_EQ(loaded.origins.at("max_flows"), Origin::kFile);
  EXPECT_FALSE(loaded.origins.contains("log_level"));
}

TEST_F(Load, NamesAWrongValueAsTheUserWroteIt) {
  flags_ = {{"grpc_port", {"70000"}}};
  EXPECT_EQ(error(), "--grpc-port: '70000' is not allowed; it must be a number from 0 to 65535");
  flags_.clear();
  environment_ = {{"ORB8_FLOW_SOURCE", "kprobe"}};
  EXPECT_EQ(error(), "ORB8_FLOW_SOURCE: 'kprobe' is not allowed; it must be one of auto, tc");
  environment_.clear();
  write_file("# a comment\nmax_flows: many\n");
  EXPECT_EQ(error(), file_ +
                         ":2: max_flows: 'many' is not allowed; it must be a number from 1 to "
                         "10000000");
}

TEST_F(Load, RefusesEveryKindOfOddNumber) {
  for (const char* text :
       {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "1e3", "99999999999999999999"}) {
    environment_ = {{"ORB8_MAX_FLOWS", text}};
    EXPECT_FALSE(load()) << "'" << text << "'";
  }
}

TEST_F(Load, TakesRingSizesThatArePowersOfTwoWithinTheirBounds) {
  const auto accepts = [&](const std::string& size) {
    environment_ = {{"ORB8_RING_BUFFER_SIZE", size}};
    return load().has_value();
  };
  EXPECT_TRUE(accepts("65536"));
  EXPECT_TRUE(accepts("64K"));
  EXPECT_TRUE(accepts("1MiB"));
  EXPECT_TRUE(accepts("256M"));
  EXPECT_FALSE(accepts("32K"));
  EXPECT_FALSE(accepts("512M"));
  EXPECT_FALSE(accepts("100000"));
  EXPECT_FALSE(accepts("1T"));
}

TEST_F(Load, TakesSeveralInterfacesFromEachPlace) {
  write_file("interface: [eth0, 'veth*']\n");
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth0", "veth*"));
  environment_ = {{"ORB8_INTERFACE", "eth1,eth2"}};
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth1", "eth2"));
  flags_ = {{"interface", {"eth3", "eth4"}}};
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth3", "eth4"));
}

TEST_F(Load, RefusesUnknownAndRepeatedKeysOfAFile) {
  write_file("grpc_prot: 1\n");
  EXPECT_EQ(error(), file_ + ":1: unknown key 'grpc_prot'; did you mean 'grpc_port'?");
  write_file("grpc_port: 1\ngrpc_port: 2\n");
  EXPECT_EQ(error(), file_ + ":2: 'grpc_port' is there twice");
}

TEST_F(Load, RefusesAFileThatIsNoMapOrNoYaml) {
  write_file("- a\n- b\n");
  EXPECT_THAT(error(), HasSubstr("not a map of 'key: value' lines"));
  write_file("a: [1, 2\n");
  EXPECT_THAT(error(), HasSubstr(file_ + ":"));
  write_file("grpc_port: {a: 1}\n");
  EXPECT_THAT(error(), HasSubstr("grpc_port: needs a number from 0 to 65535"));
}

TEST_F(Load, NeedsAFileThatWasNamed) {
  file_ += "-missing";
  EXPECT_EQ(error(), "read the configuration file " + file_ + ": No such file or directory");
}

TEST_F(Load, TakesAnEmptyFile) {
  EXPECT_TRUE(load());
}

TEST(Settings, AreKnownByDistinctNames) {
  std::set<std::string_view> keys;
  std::set<std::string_view> variables;
  for (const auto& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(variables.insert(setting.variable).second) << setting.variable;
  }
}

TEST(Settings, GiveBackWhatTheyTake) {
  for (const auto& setting : settings()) {
    Config config;
    config.node_name = "node-1";
    config.interfaces = {"eth0"};
    EXPECT_TRUE(setting.set(config, setting.get(config))) << setting.key;
  }
}

// A row for each setting: docs/CONFIG.md must not drift from the table in the code.
TEST(Settings, AreAllInTheDocumentation) {
  std::ifstream in("docs/CONFIG.md");
  ASSERT_TRUE(in) << "run from the project's folder";
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  for (const auto& setting : settings()) {
    const auto values = setting.get(Config{});
    const std::string given = values.empty() || values.front().empty() ? "" : values.front();
    const auto row = "| `" + std::string(setting.key) + "` | `" + std::string(setting.variable) +
                     "` | " + (given.empty() ? "" : "`" + given + "`") + " | " + setting.allowed +
                     " | " + std::string(setting.help) + " |";
    EXPECT_THAT(text, HasSubstr(row));
  }
}

TEST(Nearest, SuggestsOnlyWhatIsLikeIt) {
  const std::vector<std::string> known = {"status", "flows", "trace"};
  EXPECT_EQ(nearest("flwos", known), "flows");
  EXPECT_EQ(nearest("statsu", known), "status");
  EXPECT_EQ(nearest("delete-everything", known), "");
}

TEST(ParseSize, KnowsBinaryUnits) {
  EXPECT_EQ(parse_size("1K"), 1024U);
  EXPECT_EQ(parse_size("2GiB"), 2U << 30U);
  EXPECT_EQ(parse_size("K"), std::nullopt);
  EXPECT_EQ(parse_size("99999999999999G"), std::nullopt);
}

}  // namespace
}  // namespace orb8
