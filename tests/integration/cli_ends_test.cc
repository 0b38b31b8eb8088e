// orb8 as a process: where it finds its answers, and all the ways in which it ends.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "tests/integration/command_line.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/integration/temp_file.h"

namespace orb8::integration {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr auto kListening = "gRPC server listening on ";
constexpr auto kHeader = "TIME  ";
constexpr uid_t kNobody = 65534;

struct Pipe {
  UniqueFd read;
  UniqueFd write;

  Pipe() {
    std::array<int, 2> fds = {-1, -1};
    EXPECT_EQ(::pipe2(fds.data(), O_CLOEXEC), 0);
    read = UniqueFd(fds[0]);
    write = UniqueFd(fds[1]);
  }
};

class CliEnds : public ProcessTest {
 protected:
  // An agent that listens where orb8 looks for one.
  static std::unique_ptr<Process> agent() {
    auto agent = std::make_unique<Process>("orb8-agent", command_line("--interface lo"));
    EXPECT_TRUE(agent->says(kListening)) << agent->err();
    return agent;
  }
};

TEST_F(CliEnds, WatchesTheMachineItselfWhereThereIsNoAgentAndSaysSo) {
  Process orb8("orb8", command_line("status --duration 100ms"));
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.err(),
            "orb8: no agent at localhost:9090: Connection refused; watching this machine itself "
            "(standalone)\n"
            "orb8: watching for 100ms\n");
  EXPECT_THAT(orb8.out(), HasSubstr("Health:      OK\n"));
  EXPECT_THAT(orb8.out(), HasSubstr("orb8_sock_state "));
}

TEST_F(CliEnds, AsksTheAgentThatIsThereAndSaysSo) {
  const auto there = agent();
  Process orb8("orb8", command_line("status"));
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.err(), "orb8: asking the agent at localhost:9090\n");
  EXPECT_THAT(orb8.out(), HasSubstr("Health:      OK\n"));
}

TEST_F(CliEnds, SaysNothingOfWhereWhenItWasTold) {
  const auto there = agent();
  Process orb8("orb8", command_line("status --agent localhost:9090"));
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.err(), "");
}

TEST_F(CliEnds, DoesNotFallBackFromAnAgentThatWasNamed) {
  auto command = command_line("status");
  command.environment["ORB8_AGENT"] = "localhost:9090";
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(lines_of(orb8.err()), SizeIs(1));
  EXPECT_THAT(orb8.err(),
              HasSubstr("orb8: no agent at localhost:9090: Connection refused; start "));
  EXPECT_EQ(orb8.out(), "");
}

TEST_F(CliEnds, HasADeadlineForWhatAcceptsAndNeverAnswers) {
  const SilentListener silent;
  Process orb8("orb8",
               command_line("trace network --connect-timeout 200ms --agent " + silent.address()));
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(orb8.err(), HasSubstr("orb8: agent " + silent.address() +
                                    " did not answer within 200ms; start orb8-agent there, "));
}

TEST_F(CliEnds, EndsWhileItStillConnectsWhenInterrupted) {
  const SilentListener silent;
  Process orb8("orb8",
               command_line("trace network --connect-timeout 1h --agent " + silent.address()));
  while (!orb8.exit_status(20ms)) orb8.signal(SIGINT);
  EXPECT_THAT(orb8.exit_status(), ::testing::AnyOf(1, 128 + SIGINT));
}

TEST_F(CliEnds, WarnsOfVariablesThatAreNoSettingWhereItReadsThem) {
  auto command = command_line("status --standalone --duration 100ms");
  command.environment = {{"ORB8_MAX_FLOW", "5"}};
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.err(),
            "orb8: ORB8_MAX_FLOW is no setting; did you mean ORB8_MAX_FLOWS?\n"
            "orb8: watching for 100ms\n");
}

TEST_F(CliEnds, TakesItsSettingsFromAFile) {
  const TempFile file("interface: nosuchnic\n");
  auto variable = command_line("status --standalone --duration 100ms");
  variable.environment = {{"ORB8_CONFIG", file.path()}};
  const auto flag = command_line("status --standalone --duration 100ms --config " + file.path());
  for (const auto& command : {variable, flag}) {
    Process orb8("orb8", command);
    EXPECT_EQ(orb8.exit_status(), 0) << orb8.err();
    EXPECT_THAT(orb8.out(), HasSubstr("no interface is watched: none matches"));
  }
}

TEST_F(CliEnds, SaysHowToBecomeRoot) {
  auto command = command_line("trace network --standalone");
  command.user = kNobody;
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_EQ(orb8.err(),
            "orb8: watching this machine itself needs root, to load BPF programs: run sudo orb8 "
            "trace network --standalone, or ask an agent with --agent HOST:PORT\n");
}

TEST_F(CliEnds, EndsWithOneWhenItsAgentIsKilled) {
  const auto there = agent();
  Process orb8("orb8", command_line("trace network"));
  ASSERT_TRUE(orb8.prints(kHeader)) << orb8.err();
  there->signal(SIGKILL);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(orb8.err(), HasSubstr("\norb8: lost the agent at localhost:9090: "));
}

TEST_F(CliEnds, EndsWithOneWhenItsAgentShutsDown) {
  const auto there = agent();
  Process orb8("orb8", command_line("trace network"));
  const LoopbackUdp udp;
  while (!orb8.prints("START", 20ms)) udp.send(1, 100);
  there->signal(SIGTERM);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(orb8.err(), HasSubstr("\norb8: lost the agent at localhost:9090: the agent is "
                                    "shutting down\n"));
}

TEST_F(CliEnds, EndsAtOnceWhenInterruptedWhileItsAgentHangs) {
  const auto there = agent();
  Process orb8("orb8", command_line("trace network"));
  ASSERT_TRUE(orb8.prints(kHeader)) << orb8.err();
  there->signal(SIGSTOP);
  orb8.signal(SIGINT);
  EXPECT_EQ(orb8.exit_status(5s), 0) << "the last look at the agent has a deadline of 1 s";
  there->signal(SIGCONT);
}

class CliEndsSignal : public CliEnds, public ::testing::WithParamInterface<int> {};

TEST_P(CliEndsSignal, EndsATraceWithASummary) {
  Process orb8("orb8", command_line("trace network --standalone --flow-source tc"));
  ASSERT_TRUE(orb8.prints(kHeader)) << orb8.err();
  const LoopbackUdp udp;
  udp.send(10, 100);
  ASSERT_TRUE(orb8.prints("START")) << orb8.err();
  orb8.signal(GetParam());
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_THAT(orb8.err(), MatchesRegex("orb8: tracing; Ctrl-C ends\norb8: [0-9]+ events? in "
                                       "[0-9.]+ s \\([0-9.]+/s\\), 0 lost; 20 packets "
                                       "seen: 10 counted, 10 duplicate, 0 lost\n"));
  EXPECT_THAT(orb8.out(), HasSubstr("\nTop talkers: 1 of 1 flow; 10 packets, 1.4 KiB in all\n"));
}

TEST_P(CliEndsSignal, EndsAWatchWithASummary) {
  Process orb8("orb8", command_line("flows --standalone --flow-source tc --watch 100ms"));
  ASSERT_TRUE(orb8.prints("\n\n")) << "the second table follows the first, which is no terminal's";
  orb8.signal(GetParam());
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_THAT(lines_of(orb8.err()).back(),
              MatchesRegex("orb8: [0-9]+ answers in [0-9.]+ s; 0 packets seen: 0 lost"));
  EXPECT_THAT(orb8.out(), Not(HasSubstr("\x1b")));
}

TEST_P(CliEndsSignal, EndsACollectionBeforeItsAnswer) {
  Process orb8("orb8", command_line("flows --standalone --duration 1h"));
  ASSERT_TRUE(orb8.says("watching for 1h00m"));
  orb8.signal(GetParam());
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_THAT(orb8.err(), HasSubstr("orb8: interrupted before there was an answer\n"));
}

INSTANTIATE_TEST_SUITE_P(Both, CliEndsSignal, ::testing::Values(SIGINT, SIGTERM),
                         [](const auto& test) {
                           return test.param == SIGINT ? "Interrupt" : "Terminate";
                         });

TEST_F(CliEnds, EndsATraceAfterItsDuration) {
  Process orb8("orb8",
               command_line("trace network --standalone --flow-source tc --duration 200ms"));
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_THAT(orb8.err(), HasSubstr("orb8: 0 events in 0."));
}

TEST_F(CliEnds, EndsQuietlyWhenItsReaderGoesWhileNothingHappens) {
  for (const auto* words : {"trace network --standalone", "trace network --standalone --packets",
                            "flows --standalone --watch 1h", "flows --standalone --duration 1h"}) {
    Pipe pipe;
    // In this network namespace nothing happens; sockets are seen in all.
    auto command = command_line(std::string(words) + " --flow-source tc");
    command.out_fd = pipe.write.get();
    Process orb8("orb8", command);
    pipe.write = UniqueFd();
    pipe.read = UniqueFd();
    EXPECT_EQ(orb8.exit_status(), 0) << words;
    EXPECT_THAT(orb8.err(), Not(HasSubstr("lost"))) << words;
  }
}

TEST_F(CliEnds, EndsQuietlyWhenItsReaderGoesInTheMiddle) {
  Pipe pipe;
  auto command = command_line("trace network --standalone --packets -o json");
  command.out_fd = pipe.write.get();
  Process orb8("orb8", command);
  pipe.write = UniqueFd();
  const LoopbackUdp udp;
  std::array<char, 1> first = {};
  ASSERT_EQ(::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK), 0);
  while (::read(pipe.read.get(), first.data(), first.size()) != 1) udp.send(1, 1);
  pipe.read = UniqueFd();
  while (!orb8.exit_status(1ms)) udp.send(1, 1);
  EXPECT_EQ(orb8.exit_status(), 0);
  EXPECT_EQ(orb8.err(), "orb8: tracing; Ctrl-C ends\n");
}

TEST_F(CliEnds, DoesNotPretendThatItWrote) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full);
  auto command = command_line("version");
  command.out_fd = full.get();
  Process orb8("orb8", command);
  EXPECT_EQ(orb8.exit_status(), 1);
  EXPECT_EQ(orb8.err(), "orb8: standard output cannot be written\n");
}

}  // namespace
}  // namespace orb8::integration
