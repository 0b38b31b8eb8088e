// A saved trace as orb8 reads it back: from files and pipes, for anybody, in every format.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <thread>
#include <utility>

#include "tests/integration/command_line.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/temp_file.h"
#include "tests/integration/terminal.h"

namespace orb8::integration {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr uid_t kNobody = 65534;
constexpr std::array kFormats = {"compact", "table", "wide", "dict", "json", "jsonpb"};
constexpr const char* kEvent =
    R"({"namespace":"shop","pod_name":"web-0","src_ip":"10.0.0.1","dst_ip":"10.0.0.2",)"
    R"("src_port":51234,"dst_port":443,"protocol":"TCP","direction":"egress",)"
    R"("time":"2023-11-14T22:13:20.000000001Z","type":"flow_start","packets":10,"bytes":1500,)"
    R"("total_packets":10,"total_bytes":1500,"tcp_flags":["SYN","ACK"],)"
    R"("socket_cookie":7,"connection_state":"ESTABLISHED","role":"client","retransmits":0,)"
    R"("retransmitted_bytes":0,"payload_bytes":0,"unread_bytes":0,"unsent_bytes":0})"
    "\n";

std::string many(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += kEvent;
  return text;
}

std::pair<UniqueFd, UniqueFd> make_pipe() {
  std::array<int, 2> fds = {-1, -1};
  EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

class CliReplay : public ProcessTest {};

TEST_F(CliReplay, GivesBackWhatATraceOfRealTrafficSaved) {
  Process live("orb8", command_line("trace network --standalone --flow-source tc -o json"));
  ASSERT_TRUE(live.says("tracing"));
  const LoopbackUdp udp;
  while (!live.prints("\n", 20ms)) udp.send(1, 100);
  udp.send(20, 100);
  live.signal(SIGINT);
  ASSERT_EQ(live.exit_status(), 0) << live.err();
  const TempFile file(live.out());
  const auto replayed = [&](const std::string& words) {
    Process orb8("orb8", command_line(words + " --input-file " + file.path()));
    EXPECT_EQ(orb8.exit_status(), 0) << orb8.err();
    return orb8.out();
  };
  const auto port = std::to_string(udp.port());
  EXPECT_EQ(replayed("trace network -o json"), live.out());
  EXPECT_EQ(replayed("trace network -o json --protocol udp --port " + port), live.out());
  EXPECT_THAT(replayed("trace network -o json --not --port " + port), IsEmpty());
  EXPECT_EQ(replayed("trace network -o json --not --failed"), live.out());
  EXPECT_THAT(replayed("flows -o compact --to-port " + port),
              HasSubstr(": 127.0.0.1:" + port + " -> 127.0.0.1:" + port + " "));
}

// Three connections, a second apart.
TEST_F(CliReplay, ChoosesByTimeAndNumberAndSumsUp) {
  std::string events;
  for (const char* number : {"1", "2", "3"}) {
    std::string event = kEvent;
    event.replace(event.find("51234"), 5, std::string("5123") + number);
    event.replace(event.find("22:13:20"), 8, std::string("22:13:2") + number);
    event.replace(event.find("cookie\":7"), 9, std::string("cookie\":") + number);
    events += event;
  }
  const TempFile file(events);
  const auto lines = [&](const std::string& words) {
    Process orb8("orb8", command_line(words + " -o json --input-file " + file.path()));
    EXPECT_EQ(orb8.exit_status(), 0) << words << ": " << orb8.err();
    return lines_of(orb8.out());
  };
  EXPECT_THAT(lines("flows --all"), SizeIs(3));
  EXPECT_THAT(lines("flows --since 2023-11-14T22:13:22Z"), SizeIs(2));
  EXPECT_THAT(lines("flows --last 1"), ElementsAre(HasSubstr("\"src_port\":51233")));
  EXPECT_THAT(lines("flows --first 1"), ElementsAre(HasSubstr("\"src_port\":51231")));
  EXPECT_THAT(lines("flows --by port"),
              ElementsAre(AllOf(HasSubstr("\"port\":443"), HasSubstr("\"flows\":3"),
                                HasSubstr("\"sent_bytes\":4500"))));
  EXPECT_THAT(lines("trace network --first 2"),
              ElementsAre(HasSubstr("51231"), HasSubstr("51232")));
  EXPECT_THAT(lines("trace network --last 1"), ElementsAre(HasSubstr("51233")));
  EXPECT_THAT(lines("trace network --since 2023-11-14T22:13:22Z --until 2023-11-14T22:13:23Z"),
              ElementsAre(HasSubstr("51232")));
}

TEST_F(CliReplay, ReadsAPipeUntilItEndsAsAnybody) {
  auto [read, write] = make_pipe();
  auto command = command_line("trace network -o json --input-file -");
  command.in_fd = read.get();
  command.user = kNobody;
  Process orb8("orb8", command);
  const std::string event = kEvent;
  ASSERT_EQ(::write(write.get(), event.data(), event.size()), static_cast<ssize_t>(event.size()));
  EXPECT_TRUE(orb8.prints("\n")) << "each line as it comes";
  EXPECT_FALSE(orb8.exit_status(50ms)) << "there may be more";
  write = UniqueFd();
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.out(), event);
  EXPECT_EQ(orb8.err(), "orb8: replaying standard input\norb8: 1 event, 0 lost\n");
}

TEST_F(CliReplay, EndsWhenItIsInterruptedWhileNothingComes) {
  auto [read, write] = make_pipe();
  auto command = command_line("trace network --input-file -");
  command.in_fd = read.get();
  Process orb8("orb8", command);
  ASSERT_TRUE(orb8.says("replaying"));
  orb8.signal(SIGINT);
  EXPECT_EQ(orb8.exit_status(), 0);
}

TEST_F(CliReplay, SaysWhatCannotBeReadAndFails) {
  const TempFile file(std::string(kEvent) + "{\"src_ip\":\n" + kEvent);
  Process orb8("orb8", command_line("trace network -o json --input-file " + file.path()));
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_EQ(orb8.out(), many(2)) << "all else is shown";
  EXPECT_THAT(orb8.err(), HasSubstr("orb8: 1 line of " + file.path() +
                                    " could not be read; the first, line 2: is no JSON, or cut off "
                                    "in the middle\n"));
}

TEST_F(CliReplay, SaysThatAFileIsNotToBeReadByAnybody) {
  const TempFile file(kEvent);  // of root alone
  auto command = command_line("flows --input-file " + file.path());
  command.user = kNobody;
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_EQ(orb8.err(), "orb8: cannot read " + file.path() + ": Permission denied\n");
}

TEST_F(CliReplay, EndsQuietlyInEveryFormatWhenNobodyReadsAnyMore) {
  const TempFile file(many(20'000));  // more than any pipe holds
  for (const auto* format : kFormats) {
    auto [read, write] = make_pipe();
    auto command = command_line("trace network --input-file " + file.path() + " -o " + format);
    command.out_fd = write.get();
    Process orb8("orb8", command);
    write = UniqueFd();
    std::array<char, 10> some = {};
    EXPECT_GT(::read(read.get(), some.data(), some.size()), 0) << format;
    read = UniqueFd();
    EXPECT_EQ(orb8.exit_status(), 0) << format;
    EXPECT_EQ(orb8.err(), "orb8: replaying " + file.path() + "\n") << format;
  }
}

TEST_F(CliReplay, IsColouredOnATerminalAloneAndNeverAsJson) {
  const TempFile file(kEvent);
  const auto on_terminal = [&](const std::string& words, const char* variable) {
    Terminal terminal(80, 24);
    auto command = command_line("trace network --input-file " + file.path() + " -o " + words);
    command.out_fd = terminal.far();
    if (variable != nullptr) command.environment[variable] = "1";
    Process orb8("orb8", command);
    EXPECT_EQ(orb8.exit_status(), 0) << orb8.err();
    return terminal.text();
  };
  for (const std::string format : kFormats) {
    const bool json = format.starts_with("json");
    EXPECT_EQ(on_terminal(format, nullptr).find('\x1b') == std::string::npos, json) << format;
    EXPECT_THAT(on_terminal(format, "NO_COLOR"), Not(HasSubstr("\x1b"))) << format;
    EXPECT_THAT(on_terminal(format + " --color never", nullptr), Not(HasSubstr("\x1b"))) << format;
    for (const std::string when : {"auto", "always"}) {
      Process orb8("orb8", command_line("trace network --input-file " + file.path() + " -o " +
                                        format + " --color " + when));
      EXPECT_EQ(orb8.exit_status(), 0);
      const bool paints = when == "always" && !json;
      EXPECT_EQ(orb8.out().find('\x1b') != std::string::npos, paints) << format << " " << when;
    }
  }
}

TEST_F(CliReplay, SaysTimesInTheZoneOfItsUser) {
  const TempFile file(kEvent);
  auto command = command_line("trace network -o compact --time-format RFC3339Nano --input-file " +
                              file.path());
  command.environment["TZ"] = "IST-05:30";
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.out(),
            "2023-11-15T03:43:20.000000001+05:30: 10.0.0.1:51234 -> 10.0.0.2:443 egress start "
            "ESTABLISHED (TCP Flags: SYN, ACK) 1.5 KiB in 10 packets\n");
}

}  // namespace
}  // namespace orb8::integration
