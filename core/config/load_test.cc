// SPDX-License-Identifier: Apache-2.0
#include "core/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/unique_fd.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two values that the setting takes, neither its default.
std::pair<std::string, std::string> two_values(const Setting& setting) {
  std::vector<std::string> found;
  const auto fallback = setting.get(Config{});
  for (const char* text : {"5000", "200",     "131072",        "262144",   "tc",     "auto",
                           "tcx",  "clsact",  "tail",          "head",     "warn",   "debug",
                           "off",  "on",      "node",          "all",      "one",    "two",
                           "/a",   "/b",      "http://a",      "http://b", "a=1",    "b=2",
                           "logs", "metrics", "http/protobuf", "never",    "always", "none"}) {
    Config config;
    const bool plain = setting.set(config, {text}) && setting.get(config).front() == text;
    if (plain && setting.get(config) != fallback) found.emplace_back(text);
  }
  // A choice of two has one that is not the default, and the default.
  if (found.size() == 1 && !fallback.empty()) found.push_back(fallback.front());
  EXPECT_GE(found.size(), 2U) << setting.key;
  return {found.at(0), found.at(1)};
}

class Load : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "orb8-config-XXXXXX").string();
    const UniqueFd made(::mkstemp(name.data()));
    ASSERT_TRUE(made);
    file_ = name;
  }
  void TearDown() override { std::filesystem::remove(file_); }

  void write_file(const std::string& text) { std::ofstream(file_) << text; }

  Result<LoadedConfig> load() {
    return load_config({.flags = flags_, .environment = getter(), .file = file_, .variables = {}});
  }

  // Without --config.
  Result<LoadedConfig> load_with_variables(std::vector<std::string> names) {
    return load_config(
        {.flags = {}, .environment = getter(), .file = {}, .variables = std::move(names)});
  }

  std::string error() {
    const auto loaded = load();
    return loaded ? "no error" : loaded.error().what;
  }

  std::function<const char*(const std::string&)> getter() {
    return [this](const std::string& name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
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

// The two places disagree; the one of higher rank is obeyed, for each pair and each setting.
TEST_F(Load, RanksThePlacesForEverySetting) {
  for (const auto& setting : settings()) {
    const std::string key(setting.key);
    const auto& [low, high] = two_values(setting);
    const auto loaded = [&] {
      auto all = load();
      EXPECT_TRUE(all) << key << ": " << all.error().what;
      return all ? std::pair(setting.get(all->config).front(), all->origins.at(key))
                 : std::pair(std::string(), Origin::kDefault);
    };
    write_file(key + ": " + low + "\n");
    environment_.clear();
    flags_.clear();
    EXPECT_EQ(loaded(), std::pair(low, Origin::kFile)) << key;
    environment_[std::string(setting.variable)] = high;
    EXPECT_EQ(loaded(), std::pair(high, Origin::kEnvironment)) << key;
    flags_[key] = {low};
    EXPECT_EQ(loaded(), std::pair(low, Origin::kFlag)) << key;
    environment_.clear();
    flags_[key] = {high};
    EXPECT_EQ(loaded(), std::pair(high, Origin::kFlag)) << key;
  }
}

TEST_F(Load, NamesEveryWrongValueAsTheUserWroteIt) {
  for (const auto& setting : settings()) {
    const std::string key(setting.key);
    const std::string shown = setting.secret ? "what was given (it is not shown)" : "'so bad'";
    const auto text = ": " + shown + " is not allowed; it must be " + setting.allowed;
    write_file("# a comment\n" + key + ": so bad\n");
    EXPECT_EQ(error(), file_ + ":2: " + key + text);
    write_file("");
    environment_ = {{std::string(setting.variable), "so bad"}};
    EXPECT_EQ(error(), std::string(setting.variable) + text);
    environment_.clear();
    flags_ = {{key, {"so bad"}}};
    EXPECT_EQ(error(), flag_of(setting) + text);
    flags_.clear();
  }
}

TEST_F(Load, RefusesAWrongValueThatAnotherOneOutranks) {
  write_file("max_flows: many\n");
  flags_ = {{"max_flows", {"1"}}};
  EXPECT_THAT(error(), HasSubstr(":1: max_flows: 'many' is not allowed"));
}

TEST_F(Load, RefusesAnEmptyVariable) {
  for (const auto& setting : settings()) {
    environment_ = {{std::string(setting.variable), ""}};
    const auto named = std::string(setting.variable) + ": ";
    EXPECT_THAT(error(), HasSubstr(named + (setting.secret ? "what" : "'' is not allowed")));
  }
}

TEST_F(Load, ShowsNoSecretThatItCannotTake) {
  environment_ = {{"ORB8_OTLP_HEADERS", "authorization: Bearer s3cret"}};
  EXPECT_EQ(error(),
            "ORB8_OTLP_HEADERS: what was given (it is not shown) is not allowed; it must be "
            "NAME=VALUE pairs, separated by commas");
}

TEST_F(Load, SaysOneLineWhateverTheValue) {
  environment_ = {{"NODE_NAME", "a\nb" + std::string(100'000, 'c')}};
  EXPECT_THAT(error(), HasSubstr("NODE_NAME: 'a\\x0abccc"));
  EXPECT_LT(error().size(), 400U);
}

TEST_F(Load, TakesSeveralInterfacesFromEachPlace) {
  write_file("interface: [eth0, 'veth*']\n");
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth0", "veth*"));
  write_file("interface: eth0,eth1\n");
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth0", "eth1"));
  environment_ = {{"ORB8_INTERFACE", "eth1,eth2"}};
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth1", "eth2"));
  flags_ = {{"interface", {"eth3,eth4", "eth5"}}};
  EXPECT_THAT(load()->config.interfaces, ElementsAre("eth3", "eth4", "eth5"));
}

TEST_F(Load, RefusesAnInterfaceWithoutAName) {
  for (const char* text : {",", "eth0,,eth1", ",eth0", "eth0, eth1"}) {
    environment_ = {{"ORB8_INTERFACE", text}};
    EXPECT_EQ(error(), "ORB8_INTERFACE: '" + std::string(text) +
                           "' is not allowed; it must be interface names or globs, as eth0 or "
                           "'veth*'");
  }
}

TEST_F(Load, WantsAPortForEachServer) {
  environment_ = {{"ORB8_GRPC_PORT", "9091"}};
  EXPECT_EQ(error(), "ORB8_GRPC_PORT and health_port are both 9091; each needs a port of its own");
  flags_ = {{"health_port", {"9091"}}};
  EXPECT_EQ(error(),
            "ORB8_GRPC_PORT and --health-port are both 9091; each needs a port of its own");
  environment_ = {{"ORB8_GRPC_PORT", "0"}};
  flags_ = {{"health_port", {"0"}}};
  EXPECT_TRUE(load()) << "any two free ports are different ones";
}

TEST_F(Load, NeedsAFileThatWasNamed) {
  file_ += "-missing";
  EXPECT_EQ(error(), "read the configuration file " + file_ + ": No such file or directory");
  environment_ = {{"ORB8_CONFIG", file_}};
  const auto loaded = load_with_variables({});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().what,
            "read the configuration file " + file_ + ": No such file or directory");
}

TEST_F(Load, TakesTheFileThatTheVariableNames) {
  write_file("max_flows: 7\n");
  environment_ = {{"ORB8_CONFIG", file_}};
  EXPECT_EQ(load_with_variables({})->config.max_flows, 7U);
}

TEST_F(Load, PrefersTheFileThatTheFlagNames) {
  environment_ = {{"ORB8_CONFIG", file_ + "-missing"}};
  EXPECT_TRUE(load());
}

TEST_F(Load, WarnsOfVariablesThatMeanNothing) {
  const auto loaded =
      load_with_variables({"PATH", "ORB8_GRPC_PORT", "ORB8_GRPC_PROT", "ORB8_CONFIG", "ORB8_AGENT",
                           "ORB8_NODE_NAME", "ORB8_PAINT_IT_IN_A_COLOUR", "NODE_NAME"});
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_THAT(loaded->warnings,
              ElementsAre("ORB8_GRPC_PROT is no setting; did you mean ORB8_GRPC_PORT?",
                          "ORB8_NODE_NAME is no setting; did you mean NODE_NAME?",
                          "ORB8_PAINT_IT_IN_A_COLOUR is no setting"));
}

// Kubernetes sets these in every pod of a namespace that has a Service with such a name.
TEST_F(Load, DoesNotWarnOfVariablesThatTellOfAService) {
  const auto loaded = load_with_variables({"ORB8_AGENT_PORT", "ORB8_AGENT_PORT_9090_TCP",
                                           "ORB8_AGENT_PORT_9090_TCP_ADDR",
                                           "ORB8_AGENT_SERVICE_HOST", "ORB8_AGENT_SERVICE_PORT",
                                           "ORB8_AGENT_SERVICE_PORT_GRPC", "ORB8_AGENT_PROT"});
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_THAT(loaded->warnings, ElementsAre(HasSubstr("ORB8_AGENT_PROT")));
}

TEST(VariableNames, AreThoseOfThisProcess) {
  ASSERT_EQ(::setenv("ORB8_OF_A_TEST", "a=b", 1), 0);
  EXPECT_THAT(variable_names(), Contains("ORB8_OF_A_TEST"));
  ::unsetenv("ORB8_OF_A_TEST");
}

TEST_F(Load, TakesOpenTelemetrysOwnAttributesWhereTheSettingIsNotGiven) {
  environment_ = {{"OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=one,service.name=a%2Cb"}};
  EXPECT_THAT(load()->config.otlp_resource_attributes,
              ElementsAre("k8s.cluster.name=one", "service.name=a%2Cb"));
  EXPECT_EQ(load()->origins.at("otlp_resource_attributes"), Origin::kEnvironment);
  environment_["OTEL_SERVICE_NAME"] = "x, 100%";
  EXPECT_THAT(
      load()->config.otlp_resource_attributes,
      ElementsAre("k8s.cluster.name=one", "service.name=a%2Cb", "service.name=x%2C%20100%25"))
      << "the latter counts";
  environment_["ORB8_OTLP_RESOURCE_ATTRIBUTES"] = "a=b";
  EXPECT_THAT(load()->config.otlp_resource_attributes, ElementsAre("a=b"));
}

TEST_F(Load, LeavesOutWhatIsWrongWithOpenTelemetrysOwnAttributesAndSaysSo) {
  environment_ = {{"OTEL_RESOURCE_ATTRIBUTES", "a=b,c=%"}, {"OTEL_SERVICE_NAME", "x"}};
  const auto loaded = load();
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.otlp_resource_attributes, ElementsAre("service.name=x"));
  EXPECT_THAT(loaded->warnings,
              ElementsAre(AllOf(HasSubstr("OTEL_RESOURCE_ATTRIBUTES: 'a=b,c=%' is not allowed"),
                                HasSubstr("left out"))));
  environment_ = {{"OTEL_RESOURCE_ATTRIBUTES", ""}, {"OTEL_SERVICE_NAME", ""}};
  EXPECT_TRUE(load()->config.otlp_resource_attributes.empty());
  EXPECT_TRUE(load()->warnings.empty());
}

}  // namespace
}  // namespace orb8
