// SPDX-License-Identifier: Apache-2.0
#include "core/config/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "core/config/load.h"
#include "core/config/settings.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using Given = std::map<std::string, std::vector<std::string>>;

// The arguments are those behind the program's name.
Given parse(std::vector<std::string> arguments, const std::vector<std::string_view>& keys = {}) {
  CLI::App app("test");
  std::string rest;
  app.add_option("rest", rest);
  Given given;
  add_config_flags(app, given, keys);
  std::ranges::reverse(arguments);  // as CLI11 wants them
  app.parse(arguments);
  return given;
}

TEST(ConfigFlags, AreThereForEverySetting) {
  Config config;
  config.node_name = "node-1";
  config.interfaces = {"eth0"};
  // What has no default that could be given.
  config.export_file = "/flows";
  config.otlp_endpoint = "http://collector:4317";
  config.otlp_headers = config.otlp_resource_attributes = {"a=b"};
  config.otlp_ca_file = config.otlp_cert_file = config.otlp_key_file = "/pem";
  for (const auto& setting : settings()) {
    const auto value = setting.get(config).front();
    EXPECT_THAT(parse({flag_of(setting), value}),
                ElementsAre(Pair(setting.key, ElementsAre(value))));
    EXPECT_THAT(parse({flag_of(setting) + "=" + value}),
                ElementsAre(Pair(setting.key, ElementsAre(value))));
  }
}

TEST(ConfigFlags, AreOnlyThoseChosen) {
  EXPECT_THAT(parse({"--tc-attach", "tcx"}, {"tc_attach", "interface"}),
              ElementsAre(Pair("tc_attach", ElementsAre("tcx"))));
  EXPECT_THROW(parse({"--grpc-port", "1"}, {"tc_attach", "interface"}), CLI::ExtrasError);
}

TEST(ConfigFlags, TakeOneValueEachTimeSoThatACommandCanFollow) {
  EXPECT_THAT(parse({"--interface", "eth0", "--interface", "veth*", "rest"}),
              ElementsAre(Pair("interface", ElementsAre("eth0", "veth*"))));
}

TEST(ConfigFlags, LeaveWhatIsWrongToLoading) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const auto loaded = load_config(
        {.flags = parse(arguments), .environment = {}, .file = "/dev/null", .variables = {}});
    return loaded ? "no error" : loaded.error().what;
  };
  EXPECT_EQ(error({"--grpc-port", "-1"}),
            "--grpc-port: '-1' is not allowed; it must be a number from 0 to 65535");
  EXPECT_EQ(error({"--grpc-port", "1", "--grpc-port", "2"}),
            "--grpc-port: '1,2' is more than one value; give it once");
  EXPECT_EQ(error({"--interface", ""}),
            "--interface: '' is not allowed; it must be interface names or globs, as eth0 or "
            "'veth*'");
}

TEST(ConfigFlags, SayInTheHelpWhatIsAllowed) {
  CLI::App app("test");
  Given given;
  add_config_flags(app, given, {"grpc_port", "node_name"});
  const auto help = app.help();
  EXPECT_THAT(help, HasSubstr("--grpc-port PORT "));
  EXPECT_THAT(help, HasSubstr("Port of the gRPC server; 0 takes any free one. Allowed: a number "
                              "from 0 to 65535. Default: 9090. (ORB8_GRPC_PORT)"));
  EXPECT_THAT(help, HasSubstr("Default: the host's name. (NODE_NAME)"));
  EXPECT_THAT(help, Not(HasSubstr("...")));
}

}  // namespace
}  // namespace orb8
