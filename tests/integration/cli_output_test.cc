// What orb8 prints of real traffic: every packet of it, by the names of the API, as wide as the
// terminal.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/format.h"
#include "core/base/eventually.h"
#include "tests/integration/command_line.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/temp_file.h"
#include "tests/integration/terminal.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::size_t kPayload = 100;
constexpr std::uint64_t kOnWire = kPayload + 8 + 20 + 14;  // UDP, IPv4, Ethernet

std::vector<json> objects_in(const std::string& text) {
  std::vector<json> objects;
  for (const auto& one : lines_of(text)) {
    auto object = json::parse(one, nullptr, false);
    EXPECT_TRUE(object.is_object()) << one;
    if (object.is_object()) objects.push_back(std::move(object));
  }
  return objects;
}

// By a validator of its own, not by ours.
void expect_valid(const std::string& kind, const std::string& lines) {
  const TempFile file(lines);
  Process check("/usr/bin/env", {.arguments = {"scripts/check_json.py", kind, file.path()}});
  EXPECT_EQ(check.exit_status(), 0) << check.out() << check.err();
}

std::string content_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Sockets are seen in every network namespace, packets in this one only: what counts all that there
// is has to use the second.
class CliOutput : public ProcessTest {};

TEST_F(CliOutput, TellsOfEveryPacketInFlowEvents) {
  Process orb8("orb8", command_line("trace network --standalone --flow-source tc -o json"));
  // A datagram sent earlier may be in a flow's total and in no event: nobody was listening yet.
  ASSERT_TRUE(orb8.says("tracing"));
  const LoopbackUdp udp;
  while (!orb8.prints("\n", 20ms)) udp.send(1, kPayload);
  udp.send(50, kPayload);
  orb8.signal(SIGINT);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;
  expect_valid("event", orb8.out());
  for (const auto& event : objects_in(orb8.out())) {
    EXPECT_EQ(event["protocol"], "UDP");
    EXPECT_EQ(event["dst_port"], udp.port());
    EXPECT_EQ(event["interface"], "lo");
    packets += event["packets"].get<std::uint64_t>();
    bytes += event["bytes"].get<std::uint64_t>();
    total = std::max(total, event["total_packets"].get<std::uint64_t>());
  }
  EXPECT_GT(packets, 50U);
  EXPECT_EQ(packets, total) << "what moved adds up to the whole";
  EXPECT_EQ(bytes, packets * kOnWire);
  EXPECT_THAT(orb8.err(), HasSubstr(": " + std::to_string(packets) + " counted, "));
}

TEST_F(CliOutput, ShowsOneLineForEachPacket) {
  Process orb8("orb8", command_line("trace network --standalone --flow-source tc --packets "
                                    "--protocol udp"));
  ASSERT_TRUE(orb8.says("tracing")) << "or only half of the probes may be attached";
  const LoopbackUdp udp;
  while (!orb8.prints("\n", 20ms)) udp.send(1, kPayload);
  orb8.signal(SIGINT);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto address = "127.0.0.1:" + std::to_string(udp.port());
  EXPECT_THAT(lines_of(orb8.out()).front().substr(13),
              "egress  UDP " + address + " > " + address + ": length " + std::to_string(kOnWire));
}

// Probes attach when packets are asked for, and ingress comes first: a packet of loopback may be
// seen there before it can be at egress.
TEST_F(CliOutput, ShowsPacketsBesideTheSocketsToo) {
  Process orb8("orb8", command_line("trace network --standalone --flow-source socket --packets "
                                    "--protocol udp"));
  ASSERT_TRUE(orb8.says("tracing"));
  const LoopbackUdp udp;
  while (!orb8.prints("\n", 20ms)) udp.send(1, kPayload);
  orb8.signal(SIGINT);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto address = "127.0.0.1:" + std::to_string(udp.port());
  EXPECT_THAT(lines_of(orb8.out()).front(), HasSubstr(" UDP " + address + " > " + address +
                                                      ": length " + std::to_string(kOnWire)));
}

TEST_F(CliOutput, LeavesOutWhatTheFilterDoesNotMatch) {
  Process orb8("orb8", command_line("flows --standalone --flow-source tc --duration "
                                    "1500ms --port 1 -o json"));
  ASSERT_TRUE(orb8.says("watching for 1.5s"));
  const LoopbackUdp udp;
  udp.send(5, kPayload);
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.out(), "");
  EXPECT_THAT(orb8.err(), HasSubstr("10 packets seen: 5 counted, 5 duplicate, 0 lost"));
}

TEST_F(CliOutput, IsTheSameFromAnAgentAndStandalone) {
  Process agent("orb8-agent", command_line("--interface lo --snapshot-interval-ms 100"));
  ASSERT_TRUE(agent.says("gRPC server listening on ")) << agent.err();
  Process standalone(
      "orb8",
      command_line("flows --standalone --interface lo --duration 2s -o json --protocol udp"));
  ASSERT_TRUE(standalone.says("watching for 2s"));
  const LoopbackUdp udp;
  udp.send(7, kPayload);
  ASSERT_EQ(standalone.exit_status(), 0) << standalone.err();
  Process remote("orb8", command_line("flows --agent localhost:9090 -o json --protocol udp"));
  ASSERT_EQ(remote.exit_status(), 0) << remote.err();

  auto here = objects_in(standalone.out());
  auto there = objects_in(remote.out());
  ASSERT_THAT(here, SizeIs(1));
  ASSERT_THAT(there, SizeIs(1));
  expect_valid("flow", standalone.out());
  for (const auto* time : {"first_seen", "last_seen"}) {
    here[0].erase(time);
    there[0].erase(time);
  }
  EXPECT_EQ(here[0], there[0]);
  EXPECT_EQ(here[0]["packets"], 7);
  EXPECT_EQ(here[0]["bytes"], 7 * kOnWire);
}

TEST_F(CliOutput, HasTheStatusInOneObject) {
  const std::map<std::string, std::size_t> programs = {{"tc", 2}, {"socket", 5}};
  for (const auto& [source, count] : programs) {
    Process orb8("orb8", command_line("status --standalone --duration 100ms -o json "
                                      "--flow-source " +
                                      source));
    ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
    const auto objects = objects_in(orb8.out());
    ASSERT_THAT(objects, SizeIs(1));
    expect_valid("status", orb8.out());
    EXPECT_EQ(objects[0]["healthy"], true);
    EXPECT_EQ(objects[0]["flow_source"], source);
    EXPECT_THAT(objects[0]["programs"], SizeIs(count));
  }
}

TEST_F(CliOutput, AttachesNothingToThePacketPathWithoutUdp) {
  Process orb8("orb8", command_line("status --standalone --udp off --duration 100ms -o json"));
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto objects = objects_in(orb8.out());
  ASSERT_THAT(objects, SizeIs(1));
  ASSERT_THAT(objects[0]["programs"], SizeIs(2));
  EXPECT_EQ(objects[0]["programs"][0]["mechanism"], "tp_btf");
}

// Of all kinds of flows and events, more than one run shows.
TEST_F(CliOutput, IsByTheSchemaInTheGoldenFilesAndIsReadBackFromThem) {
  const std::string folder = "tests/data/golden/";
  expect_valid("flow", content_of(folder + "flows.json"));
  expect_valid("event", content_of(folder + "events.json"));
  expect_valid("pod", content_of(folder + "pods.json"));
  expect_valid("status", content_of(folder + "status.json"));
  Process flows("orb8", command_line("flows -o json --input-file " + folder + "flows.json"));
  EXPECT_EQ(flows.exit_status(), 0) << flows.err();
  EXPECT_EQ(flows.out(), content_of(folder + "flows.json"));
  Process trace("orb8",
                command_line("trace network -o json --input-file " + folder + "events.json"));
  EXPECT_EQ(trace.exit_status(), 0) << trace.err();
  EXPECT_EQ(trace.out(), content_of(folder + "events.json"));
}

// The words of a table's line, and the same of its header.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

// A port of loopback on which nobody listens, and which nobody else takes.
class DeafPort {
 public:
  DeafPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address_);
    EXPECT_EQ(::bind(fd_.get(), as_sockaddr(), size), 0);
    EXPECT_EQ(::getsockname(fd_.get(), as_sockaddr(), &size), 0);
  }
  std::string port() const { return std::to_string(ntohs(address_.sin_port)); }
  void expect_refusal() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), as_sockaddr(), sizeof(address_)), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
  }

 private:
  sockaddr* as_sockaddr() { return reinterpret_cast<sockaddr*>(&address_); }

  UniqueFd fd_;
  sockaddr_in address_ = {};
};

TEST_F(CliOutput, TellsOnceOfAConnectionThatFailedAndWhy) {
  DeafPort deaf;
  Process orb8("orb8", command_line("trace network --standalone --failed --port " + deaf.port()));
  ASSERT_TRUE(orb8.says("tracing"));
  deaf.expect_refusal();
  ASSERT_TRUE(orb8.prints(" refused\n")) << orb8.err();
  orb8.signal(SIGINT);
  ASSERT_EQ(orb8.exit_status(), 0);
  const auto lines = lines_of(orb8.out());
  ASSERT_THAT(lines, SizeIs(2)) << orb8.out();
  EXPECT_THAT(words_of(lines[0]).back(), "REASON");
  const auto words = words_of(lines[1]);
  EXPECT_EQ(words[1], "END");
  EXPECT_EQ(words[4], "127.0.0.1:" + deaf.port());
  EXPECT_EQ(words[5], "egress");
  EXPECT_EQ(words[words.size() - 2], "cli_output_test");
  EXPECT_THAT(orb8.err(), HasSubstr("orb8: 1 event in "));
}

TEST_F(CliOutput, FindsAFailedConnectionAmongTheFlows) {
  DeafPort deaf;
  Process orb8("orb8", command_line("flows --standalone --failed --duration 2s -o json --port " +
                                    deaf.port()));
  ASSERT_TRUE(orb8.says("watching for 2s"));
  deaf.expect_refusal();
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto flows = objects_in(orb8.out());
  ASSERT_THAT(flows, Not(SizeIs(0)));
  for (const auto& flow : flows) {
    EXPECT_EQ(flow["failure_reason"], "refused");
    EXPECT_EQ(flow["connection_state"], "CLOSE");
    EXPECT_EQ(flow["role"], "client");
    EXPECT_EQ(flow["process"], "cli_output_test");
  }
}

TEST_F(CliOutput, ShowsAClientsConnectionsToAPortAsOneRow) {
  const SilentListener server;
  const auto address = server.address();
  const auto port = address.substr(address.find(':') + 1);
  Process orb8("orb8", command_line("flows --standalone --collapse-ports --direction egress "
                                    "--duration 2s --sort rtt --port " +
                                    port));
  ASSERT_TRUE(orb8.says("watching for 2s"));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  std::array<UniqueFd, 3> clients;
  for (auto& client : clients) {
    client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
  }
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto lines = lines_of(orb8.out());
  ASSERT_THAT(lines, SizeIs(4)) << "a header, two sides, a footer\n" << orb8.out();
  EXPECT_THAT(lines[3], StartsWith("2 flows; "));
  const auto row = words_of(lines[1])[1] == "127.0.0.1:*" ? words_of(lines[1]) : words_of(lines[2]);
  EXPECT_EQ(row[1], "127.0.0.1:*");
  EXPECT_EQ(row[2], address);
  EXPECT_EQ(row.back(), "cli_output_test");
}

// A connection over loopback that moves so many bytes of payload, and is closed on both sides.
class EndedConnection {
 public:
  explicit EndedConnection(std::size_t payload) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(listener.get(), at, size), 0);
    EXPECT_EQ(::listen(listener.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.get(), at, &size), 0);
    port_ = std::to_string(ntohs(address.sin_port));
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.get(), at, size), 0);
    const UniqueFd server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string text(payload, 'x');
    EXPECT_EQ(::send(client.get(), text.data(), payload, 0), static_cast<ssize_t>(payload));
    client = UniqueFd();
    std::string got(payload + 1, ' ');
    EXPECT_EQ(::recv(server.get(), got.data(), got.size(), MSG_WAITALL),
              static_cast<ssize_t>(payload));
  }
  const std::string& port() const { return port_; }

 private:
  std::string port_;
};

class CliHistory : public CliOutput {
 protected:
  static std::vector<json> lines_for(const std::string& kind, const std::string& words) {
    Process orb8("orb8", command_line(words + " --agent localhost:9090 -o json"));
    EXPECT_EQ(orb8.exit_status(), 0) << orb8.err();
    if (!orb8.out().empty()) expect_valid(kind, orb8.out());
    return objects_in(orb8.out());
  }
};

TEST_F(CliHistory, FindsAConnectionThatEndedAndSumsItUp) {
  constexpr std::size_t kSent = 5'000;
  Process agent("orb8-agent", command_line("--kube off --snapshot-interval-ms 100"));
  ASSERT_TRUE(agent.says("gRPC server listening on ")) << agent.err();
  const EndedConnection connection(kSent);
  const auto of_it = " --port " + connection.port();
  // Its four flows, two at each end, leave the table two seconds after their sockets closed.
  ASSERT_TRUE(eventually([&] {
    return lines_for("flow", "flows --all" + of_it).size() == 4 &&
           lines_for("flow", "flows" + of_it).empty();
  }));

  const auto flows = lines_for("flow", "flows --since 5m --direction egress --sort bytes" + of_it);
  ASSERT_THAT(flows, SizeIs(2));
  EXPECT_EQ(flows[0]["end_reason"], "closed");
  EXPECT_EQ(flows[0]["payload_bytes"], kSent);
  EXPECT_EQ(flows[0]["dst_port"], std::stoi(connection.port()));

  const auto events = lines_for("event", "trace network --all" + of_it);
  ASSERT_THAT(events, SizeIs(4));
  for (const auto& event : events) EXPECT_EQ(event["type"], "flow_end");
  EXPECT_THAT(lines_for("event", "trace network --last 1" + of_it), SizeIs(1));
  EXPECT_THAT(lines_for("event", "trace network --until 1m" + of_it), SizeIs(0));

  const auto groups = lines_for("group", "flows --by port --by process --all" + of_it);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0]["port"], std::stoi(connection.port()));
  EXPECT_EQ(groups[0]["process"], "cli_output_test");
  EXPECT_EQ(groups[0]["connections"], 2) << "one for each end";
  EXPECT_EQ(groups[0]["sent_payload_bytes"], kSent);
  EXPECT_EQ(groups[0]["received_payload_bytes"], kSent);
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.exit_status(), 0);
}

// A flow that ends within the window has left the table by the second answer.
TEST_F(CliHistory, HasRatesWithWhatEndedMeanwhile) {
  constexpr std::size_t kSent = 5'000;
  Process agent("orb8-agent", command_line("--kube off --snapshot-interval-ms 100"));
  ASSERT_TRUE(agent.says("gRPC server listening on ")) << agent.err();
  Process rates("orb8", command_line("flows --agent localhost:9090 --by process --window 4s "
                                     "--protocol tcp -o json"));
  std::uint64_t connections = 0;
  // Those before its first answer may be none of its window's; each of the later ones is.
  while (!rates.exit_status(100ms)) {
    const EndedConnection connection(kSent);
    ++connections;
  }
  ASSERT_EQ(rates.exit_status(), 0) << rates.err();
  expect_valid("group", rates.out());
  std::uint64_t seen = 0;
  for (const auto& group : objects_in(rates.out())) {
    if (group.value("process", "") != "cli_output_test") continue;
    seen = group["connections"].get<std::uint64_t>();
    // A flow may be told of in the midst of a connection, so the first and the last are partly in.
    EXPECT_NEAR(group["sent_payload_bytes"].get<double>(), static_cast<double>(seen) / 2 * kSent,
                2 * kSent);
  }
  EXPECT_GT(seen, 2U);
  EXPECT_LE(seen, 2 * connections);
  EXPECT_THAT(rates.err(), Not(HasSubstr("not all remembered")));
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.exit_status(), 0);
}

TEST_F(CliHistory, RemembersStandaloneWhatItWatched) {
  Process orb8("orb8", command_line("trace network --standalone --all --duration 2s -o json "
                                    "--protocol udp"));
  ASSERT_TRUE(orb8.says("watching for 2s"));
  const LoopbackUdp udp;
  udp.send(3, kPayload);
  ASSERT_EQ(orb8.exit_status(), 0) << orb8.err();
  const auto events = objects_in(orb8.out());
  ASSERT_THAT(events, Not(SizeIs(0)));
  EXPECT_EQ(events[0]["packets"], 3);
  EXPECT_EQ(events[0]["type"], "flow_update");
}

TEST_F(CliOutput, FitsATerminalAndIsColoured) {
  Terminal terminal(80, 24);
  const LoopbackUdp udp;
  // No other flows: what is written has to fit into the terminal until it is read.
  auto command = command_line("trace network --standalone --duration 1500ms --port " +
                              std::to_string(udp.port()));
  command.out_fd = terminal.far();
  Process orb8("orb8", command);
  ASSERT_TRUE(orb8.says("tracing")) << "or the flow started before anyone listened";
  while (!orb8.exit_status(50ms)) udp.send(1, kPayload);
  const auto text = terminal.text();
  EXPECT_THAT(text, StartsWith("\x1b[1mTIME         EVENT "));
  EXPECT_THAT(text, HasSubstr("\x1b[32m"));
  for (const auto& one : lines_of(text)) {
    EXPECT_LE(display_width(one), 80U + std::string_view("\x1b[32m\x1b[0m").size()) << one;
  }
}

TEST_F(CliOutput, IsPlainWhereColourIsNotWanted) {
  for (const auto* variable : {"NO_COLOR", "TERM"}) {
    Terminal terminal(80, 24);
    auto command = command_line("trace network --standalone --port 1 --duration 50ms");
    command.out_fd = terminal.far();
    command.environment[variable] = "dumb";
    Process orb8("orb8", command);
    EXPECT_EQ(orb8.exit_status(), 0);
    EXPECT_THAT(terminal.text(), StartsWith("TIME         EVENT ")) << variable;
  }
}

TEST_F(CliOutput, TellsAPersonThatItLoads) {
  Terminal terminal(80, 24);
  auto command = command_line("status --standalone --duration 50ms");
  command.err_fd = terminal.far();
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(terminal.text(), "orb8: loading the probes\norb8: watching for 50ms\n");
}

TEST_F(CliOutput, RedrawsAWatchInPlaceOnATerminal) {
  Terminal terminal(100, 8);
  auto command = command_line("flows --standalone --flow-source tc --watch 100ms");
  command.out_fd = terminal.far();
  Process orb8("orb8", command);
  std::vector<LoopbackUdp> flows(10);
  ASSERT_TRUE(orb8.says("watching for 100ms"));
  for (int i = 0; i < 30; ++i) {
    for (const auto& udp : flows) udp.send(1, kPayload);
    EXPECT_FALSE(orb8.exit_status(50ms));
  }
  orb8.signal(SIGINT);
  EXPECT_EQ(orb8.exit_status(), 0);
  const auto text = terminal.text();
  EXPECT_THAT(text, StartsWith("\x1b[H\x1b[J"));
  const auto last = text.substr(text.rfind("\x1b[H\x1b[J"));
  EXPECT_THAT(last, HasSubstr("3 of 10 flows (--limit shows more); ")) << "what 8 rows hold";
  EXPECT_LE(lines_of(last).size(), 8U);
}

}  // namespace
}  // namespace orb8::integration
