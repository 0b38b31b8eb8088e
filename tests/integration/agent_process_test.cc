// orb8-agent as a process: what it says, how it ends, what it refuses, what it answers.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <regex>

#include "core/base/read_file.h"
#include "orb8/v1/agent.grpc.pb.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/raw_call.h"
#include "tests/integration/temp_file.h"
#include "tests/netns/attached.h"
#include "tests/netns/topology.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto kProgram = "orb8-agent";
constexpr auto kListening = "gRPC server listening on ";
constexpr auto kDefaultAddress = "127.0.0.1:9090";
constexpr auto kMoment = 50ms;  // between two tries to make something happen

Command on_loopback(std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--interface", "lo"});
  return {.arguments = more, .environment = {}, .user = {}};
}

// The lines of its log that tell of errors.
std::vector<std::string> errors_in(const std::string& log) {
  auto lines = lines_of(log);
  std::erase_if(lines,
                [](const std::string& line) { return line.find(" error ") == std::string::npos; });
  return lines;
}

class AgentProcess : public ProcessTest {};

TEST_F(AgentProcess, TellsStepByStepHowItStarts) {
  Process agent(kProgram, on_loopback());
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const auto log = agent.err();
  std::size_t at = 0;
  for (const auto* step :
       {"Running pre-flight checks...", "Pre-flight checks passed", "Loading network probe...",
        "Attached ingress probe to lo", "Attached egress probe to lo", kListening}) {
    const auto found = log.find(step, at);
    ASSERT_NE(found, std::string::npos) << step << " is not where it belongs in\n" << log;
    at = found;
  }
  EXPECT_THAT(errors_in(log), SizeIs(0));
}

// What it brings along is a tenth of an idle agent's memory.
TEST_F(AgentProcess, LoadsNoLibcurlWhereNobodyIsAskedOverHttp) {
  auto command = on_loopback();
  command.environment = {{"ORB8_KUBE", "off"}};
  Process agent(kProgram, command);
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  constexpr std::size_t kMost = 1 << 20;
  const auto maps = read_file(fmt::format("/proc/{}/maps", agent.pid()), kMost, "read its maps");
  ASSERT_TRUE(maps) << maps.error().what;
  EXPECT_THAT(*maps, HasSubstr("libgrpc"));
  EXPECT_THAT(*maps, Not(HasSubstr("libcurl")));
}

TEST_F(AgentProcess, ReadsSocketsWhereNothingElseIsAskedFor) {
  Process agent(kProgram, {.arguments = {}, .environment = {}, .user = {}});
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const auto log = agent.err();
  std::size_t at = 0;
  for (const auto* step : {"Loading socket probe...", "Attached socket probe to tracepoint ",
                           "Attached UDP probes to cgroup ", kListening}) {
    const auto found = log.find(step, at);
    ASSERT_NE(found, std::string::npos) << step << " is not where it belongs in\n" << log;
    at = found;
  }
  EXPECT_EQ(log.find("Attached ingress probe"), std::string::npos) << log;
  EXPECT_THAT(errors_in(log), SizeIs(0));
}

// As a container without the host's /sys: an empty folder covers the kernel's BTF.
Command without_btf(const std::string& more = "") {
  const char* folder = std::getenv("ORB8_BIN_DIR");
  const auto agent = std::string(folder ? folder : "build/bin") + "/" + kProgram;
  return {.arguments = {"-m", "sh", "-c",
                        "mount -t tmpfs none /sys/kernel/btf && exec " + agent + " " + more},
          .environment = {},
          .user = {}};
}

TEST_F(AgentProcess, FallsBackToTcWhereTheKernelsBtfCannotBeRead) {
  Process agent("/usr/bin/unshare", without_btf());
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const auto log = agent.err();
  EXPECT_THAT(log, HasSubstr(" warning BTF: /sys/kernel/btf/vmlinux cannot be read: "
                             "flows of sockets are not seen; run a kernel built with "));
  EXPECT_THAT(log, HasSubstr("Falling back to flow source tc: flows of sockets need the kernel's "
                             "BTF: /sys/kernel/btf/vmlinux cannot be read"));
  EXPECT_THAT(log, HasSubstr("Attached ingress probe to lo"));
  EXPECT_THAT(errors_in(log), SizeIs(0));
}

TEST_F(AgentProcess, NamesTheBtfThatIsMissingWhereSocketsAreAskedFor) {
  Process agent("/usr/bin/unshare", without_btf("--flow-source socket"));
  EXPECT_EQ(agent.exit_status(), 1);
  const auto errors = errors_in(agent.err());
  ASSERT_THAT(errors, SizeIs(1)) << agent.err();
  EXPECT_THAT(errors[0], HasSubstr("flows of sockets need the kernel's BTF: "
                                   "/sys/kernel/btf/vmlinux cannot be read"));
}

class AgentProcessSignal : public AgentProcess, public ::testing::WithParamInterface<int> {};

TEST_P(AgentProcessSignal, EndsItInOrderWhenNobodyListens) {
  Process agent(kProgram, on_loopback());
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  agent.signal(GetParam());
  EXPECT_EQ(agent.exit_status(), 0) << agent.err();
  EXPECT_THAT(agent.err(), HasSubstr("Stopped: "));
}

TEST_F(AgentProcess, SaysThatItStoppedOnceItsProbesAreOff) {
  const netns::NetNs ns;
  const auto here = ns.enter();
  ns.sh("ip link add veth0 type veth peer other0; ip link add veth1 type veth peer other1");
  Process agent(kProgram, on_loopback({"--interface", "veth*", "--interface", "other*"}));
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  ASSERT_EQ(netns::tcx_programs(ns, "lo", Direction::kIngress).size(), 1U);
  agent.signal(SIGTERM);
  ASSERT_TRUE(agent.says("Stopped: ")) << agent.err();
  for (const auto* interface : {"lo", "veth0", "veth1", "other0", "other1"}) {
    EXPECT_TRUE(netns::tcx_programs(ns, interface, Direction::kIngress).empty()) << interface;
    EXPECT_TRUE(netns::tcx_programs(ns, interface, Direction::kEgress).empty()) << interface;
  }
  EXPECT_EQ(agent.exit_status(), 0);
}

// A reader that does not read fills its stream, and the agent's thread waits in a write.
TEST_P(AgentProcessSignal, EndsItInTimeWhileAStreamClientDoesNotRead) {
  constexpr auto kTimeout = 6s;
  Process agent(kProgram, on_loopback({"--shutdown-timeout-secs", std::to_string(kTimeout.count()),
                                       "--broadcast-channel-size", "100"}));
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const auto stub = v1::OrbitAgentService::NewStub(channel_to(kDefaultAddress));
  grpc::ClientContext stream_context;
  v1::StreamEventsRequest request;
  request.set_packets(true);
  const auto reader = stub->StreamEvents(&stream_context, request);

  const LoopbackUdp traffic;
  const auto dropped = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::AgentStatus status;
    EXPECT_TRUE(stub->GetStatus(&context, {}, &status).ok());
    return status.subscriber_drops();
  };
  // What fits into the windows of the connection is sent in any case; behind that the reader's
  // buffer is full, and drops.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  std::uint64_t before = 0;
  int rounds_of_drops = 0;
  while (rounds_of_drops < 3 && std::chrono::steady_clock::now() < until) {
    traffic.send(10'000, 100);
    const auto now = dropped();
    rounds_of_drops += now > before ? 1 : 0;
    before = now;
  }
  ASSERT_EQ(rounds_of_drops, 3) << "the stream never filled";

  agent.signal(GetParam());
  EXPECT_EQ(agent.exit_status(kTimeout), 0) << agent.err();
  stream_context.TryCancel();
}

INSTANTIATE_TEST_SUITE_P(Each, AgentProcessSignal, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& given) {
                           return std::string(given.param == SIGTERM ? "SIGTERM" : "SIGINT");
                         });

TEST_F(AgentProcess, StartsAgainAfterItWasKilled) {
  Process agent(kProgram, on_loopback());
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  agent.signal(SIGKILL);
  ASSERT_EQ(agent.exit_status(), 128 + SIGKILL);
  Process next(kProgram, on_loopback());
  EXPECT_TRUE(next.says(kListening)) << "what was killed is in the way of the next\n" << next.err();
}

TEST_F(AgentProcess, NamesThePortThatIsTakenAndItsFlag) {
  Process first(kProgram, on_loopback());
  ASSERT_TRUE(first.says(kListening)) << first.err();
  struct Taken {
    std::vector<std::string> free_the_other;
    const char* port;
    const char* flag;
  };
  for (const auto& taken : {Taken{{"--health-port", "0"}, "9090", "--grpc-port"},
                            Taken{{"--grpc-port", "0"}, "9091", "--health-port"}}) {
    Process second(kProgram, on_loopback(taken.free_the_other));
    EXPECT_EQ(second.exit_status(), 1);
    const auto errors = errors_in(second.err());
    ASSERT_THAT(errors, SizeIs(1)) << second.err();
    EXPECT_THAT(errors[0], HasSubstr(taken.port));
    EXPECT_THAT(errors[0], HasSubstr(taken.flag));
  }
}

TEST_F(AgentProcess, RefusesABadValueInOneLineWhereverItStands) {
  const TempFile file("grpc_port: many\n");
  const TempFile unknown_key("grpc_prot: 9090\n");
  struct Bad {
    Command command;
    const char* named;
  };
  const std::vector<Bad> all = {
      {{.arguments = {"--grpc-port", "99999"}, .environment = {}, .user = {}}, "--grpc-port"},
      {{.arguments = {"--no-such-flag"}, .environment = {}, .user = {}},
       "unknown flag --no-such-flag; see orb8-agent --help"},
      {{.arguments = {"--grcp-port", "19090"}, .environment = {}, .user = {}},
       "unknown flag --grcp-port; did you mean --grpc-port?"},
      {{.arguments = {"node-7:9090"}, .environment = {}, .user = {}}, "'node-7:9090'"},
      {{.arguments = {}, .environment = {{"ORB8_MAX_FLOWS", "-1"}}, .user = {}}, "ORB8_MAX_FLOWS"},
      {{.arguments = {"--config", file.path()}, .environment = {}, .user = {}}, "grpc_port"},
      {{.arguments = {"--config", unknown_key.path()}, .environment = {}, .user = {}}, "grpc_prot"},
      {{.arguments = {}, .environment = {{"ORB8_CONFIG", "/no/such/file"}}, .user = {}},
       "/no/such/file"}};
  for (const auto& bad : all) {
    Process agent(kProgram, bad.command);
    EXPECT_EQ(agent.exit_status(), 2) << bad.named;
    EXPECT_EQ(agent.out(), "") << bad.named;
    ASSERT_THAT(lines_of(agent.err()), SizeIs(1)) << agent.err();
    EXPECT_THAT(agent.err(), HasSubstr(bad.named));
  }
}

TEST_F(AgentProcess, WarnsOfVariablesThatAreNoSetting) {
  constexpr auto kWarning = "ORB8_GRPC_PROT is no setting; did you mean ORB8_GRPC_PORT?\n";
  // The second is the command line's.
  const std::map<std::string, std::string> environment = {{"ORB8_GRPC_PROT", "1"},
                                                          {"ORB8_AGENT", "node-7:9090"}};
  Process agent(kProgram,
                {.arguments = {"--interface", "lo"}, .environment = environment, .user = {}});
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  EXPECT_THAT(agent.err(), HasSubstr(std::string(" warning ") + kWarning));
  EXPECT_THAT(agent.err(), Not(HasSubstr("ORB8_AGENT")));

  Process printer(kProgram,
                  {.arguments = {"--print-config"}, .environment = environment, .user = {}});
  EXPECT_EQ(printer.exit_status(), 0);
  EXPECT_EQ(printer.err(), std::string("orb8-agent: ") + kWarning);
}

TEST_F(AgentProcess, ReadsBackTheConfigurationThatItPrints) {
  Process first(kProgram, {.arguments = {"--print-config", "--grpc-port", "1234", "--interface",
                                         "veth*", "--interface", "eth0"},
                           .environment = {{"ORB8_LOG_LEVEL", "warn"}, {"NODE_NAME", "node-1"}},
                           .user = {}});
  ASSERT_EQ(first.exit_status(), 0) << first.err();
  const TempFile file(first.out());
  Process second(
      kProgram,
      {.arguments = {"--print-config", "--config", file.path()}, .environment = {}, .user = {}});
  ASSERT_EQ(second.exit_status(), 0) << second.err();
  // The comments behind the values say where they come from, which is elsewhere now.
  const std::regex comment("\\s+# .*");
  const auto values = [&](const std::string& yaml) {
    std::vector<std::string> lines;
    for (const auto& line : lines_of(yaml)) {
      if (!line.starts_with("#")) lines.push_back(std::regex_replace(line, comment, ""));
    }
    return lines;
  };
  EXPECT_EQ(values(second.out()), values(first.out()));
  EXPECT_THAT(second.out(), HasSubstr("1234"));
  EXPECT_THAT(second.out(), HasSubstr("node-1"));
}

TEST_F(AgentProcess, AnswersReflectionAndTheStandardHealthService) {
  Process agent(kProgram, on_loopback());
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const auto channel = channel_to(kDefaultAddress);

  const std::string list_services = "\x3a\x01*";  // field 7, "*"
  const auto services = call_raw(
      channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", list_services);
  ASSERT_TRUE(services.status.ok()) << services.status.error_message();
  EXPECT_THAT(services.bytes, HasSubstr("orb8.v1.OrbitAgentService"));
  EXPECT_THAT(services.bytes, HasSubstr("grpc.health.v1.Health"));

  const std::string serving = "\x08\x01";  // field 1, SERVING
  const std::string name = v1::OrbitAgentService::service_full_name();
  for (const auto& request :
       {std::string(), "\x0a" + std::string(1, static_cast<char>(name.size())) + name}) {
    const auto health = call_raw(channel, "/grpc.health.v1.Health/Check", request);
    ASSERT_TRUE(health.status.ok()) << health.status.error_message();
    EXPECT_EQ(health.bytes, serving);
  }
}

TEST_F(AgentProcess, LogsEachEventWhereDebugIsAskedFor) {
  Process agent(kProgram, on_loopback({"--log-level", "debug", "--snapshot-interval-ms", "100"}));
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const LoopbackUdp traffic;
  traffic.send(3, 72);
  const auto line = [&](const char* direction) {
    return fmt::format("[external/unknown] 127.0.0.1:{0} -> 127.0.0.1:{0} UDP {1} len=",
                       traffic.port(), direction);
  };
  EXPECT_TRUE(agent.says(line("egress")) || agent.says(line("ingress"), kMoment)) << agent.err();
}

TEST_F(AgentProcess, DoesNotLogEventsUnasked) {
  Process agent(kProgram, on_loopback({"--snapshot-interval-ms", "100"}));
  ASSERT_TRUE(agent.says(kListening)) << agent.err();
  const LoopbackUdp traffic;
  traffic.send(3, 72);
  agent.signal(SIGTERM);
  ASSERT_EQ(agent.exit_status(), 0);
  EXPECT_THAT(agent.err(), HasSubstr("Stopped: "));
  EXPECT_EQ(agent.err().find("[external/"), std::string::npos) << agent.err();
}

}  // namespace
}  // namespace orb8::integration
