// The command line without a process: what it answers, and with which exit status.
// SPDX-License-Identifier: Apache-2.0
#include "cli/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "core/base/version.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

using Environment = std::map<std::string, std::string>;

Outcome run_orb8(const std::string& line, const Environment& environment = {}) {
  std::vector<std::string> arguments;
  std::istringstream words(line);
  for (std::string word; words >> word;) arguments.push_back(word);
  std::ostringstream out;
  std::ostringstream err;
  const int status =
      run(arguments, {.environment =
                          [&](const std::string& name) {
                            const auto found = environment.find(name);
                            return found == environment.end() ? nullptr : found->second.c_str();
                          },
                      .variables = {},
                      .out = out,
                      .err = err,
                      .err_terminal = false,
                      .screen = {},
                      .stop = {}});
  return {.status = status, .out = out.str(), .err = err.str()};
}

struct Mistake {
  const char* line;
  const char* message;
};

class CommandLineMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(CommandLineMistake, IsToldInOneLineWithStatusTwo) {
  const auto outcome = run_orb8(GetParam().line);
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "orb8: " + std::string(GetParam().message) + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Words, CommandLineMistake,
    ::testing::Values(
        Mistake{"flow", "unknown command 'flow'; did you mean flows?; see orb8 --help"},
        Mistake{"zebra",
                "unknown command 'zebra'; there is status, flows, trace, pods, version, "
                "completion; see orb8 --help"},
        Mistake{"trace", "'trace' needs a command: network; see orb8 trace --help"},
        Mistake{"trace netwrk",
                "unknown command 'netwrk'; did you mean network?; see orb8 trace --help"},
        Mistake{"flows extra", "'flows' does not take 'extra'; see orb8 flows --help"},
        Mistake{"status flows", "'status' does not take 'flows'; see orb8 status --help"},
        Mistake{"--standalon status",
                "unknown flag --standalon; did you mean --standalone?; see orb8 status --help"},
        Mistake{"flows --limi 3",
                "unknown flag --limi; did you mean --limit?; see orb8 flows --help"},
        Mistake{"flows --limi=3",
                "unknown flag --limi; did you mean --limit?; see orb8 flows --help"},
        Mistake{"flows -x", "unknown flag -x; see orb8 flows --help"},
        Mistake{"status --limit 3",
                "--limit is a flag of 'flows', not of 'status'; see orb8 status --help"},
        Mistake{"trace --packets network",
                "--packets goes behind 'trace network'; see orb8 trace network --help"},
        Mistake{"completion",
                "completion: the shell is missing; it must be one of bash, zsh, fish"},
        Mistake{"completion csh",
                "completion: 'csh' is not allowed; it must be one of bash, zsh, fish; did you mean "
                "zsh?"}));

INSTANTIATE_TEST_SUITE_P(
    Values, CommandLineMistake,
    ::testing::Values(
        Mistake{"flows --limit x",
                "--limit: 'x' is not allowed; it must be a number from 0 to 4294967295"},
        Mistake{"flows --limit -5",
                "--limit: '-5' is not allowed; it must be a number from 0 to 4294967295"},
        Mistake{"flows --limit 4294967296",
                "--limit: '4294967296' is not allowed; it must be a number from 0 to 4294967295"},
        Mistake{"flows --limit",
                "--limit: the value is missing; it must be a number from 0 to "
                "4294967295; see orb8 flows --help"},
        Mistake{"flows --limit=",
                "--limit: the value is missing; it must be a number from 0 to "
                "4294967295; see orb8 flows --help"},
        Mistake{"flows --limit 1 --limit 2", "--limit is given twice"},
        Mistake{"flows --sort byte",
                "--sort: 'byte' is not allowed; it must be one of bytes, "
                "packets, last-seen, rtt, retransmits; did you mean bytes?"},
        Mistake{"flows --by workloads",
                "--by: 'workloads' is not allowed; it must be one of pod, workload, namespace, "
                "service, node, port, process, peer-pod, peer-workload, peer-namespace, peer-node, "
                "peer-ip; did you mean workload?"},
        Mistake{"flows --by pod --by pod", "--by pod is given twice"},
        Mistake{"flows --top 3", "--top goes with --by, as --by workload"},
        Mistake{"flows --window 3s", "--window goes with --by, as --by workload"},
        Mistake{"flows --by pod --top 0",
                "--top: '0' is not allowed; it must be a number from 1 to 4294967295"},
        Mistake{"flows --by pod --limit 3 --top 3", "--limit and --top exclude each other"},
        Mistake{"flows --by pod --last 3", "--last and --by exclude each other"},
        Mistake{"flows --by pod --collapse-ports", "--collapse-ports and --by exclude each other"},
        Mistake{"flows --by pod --window 3s --since 3m", "--window and --since exclude each other"},
        Mistake{"flows --by pod --window 3s --watch 3s",
                "--window and the time of --watch exclude each other"},
        Mistake{"flows --by pod --window 3s --min-bytes 1M",
                "--window and --min-bytes exclude each other: a flow that comes to match meanwhile "
                "would count with all that it ever moved"},
        Mistake{"flows --last 3 --first 3", "--last and --first exclude each other"},
        Mistake{"flows --last 3 --sort rtt", "--last and --sort exclude each other"},
        Mistake{"flows --input-file f --by pod --window 3s",
                "--input-file and --window exclude each other"},
        Mistake{"trace network --input-file f --last 3 --follow",
                "--input-file and --follow exclude each other"},
        Mistake{"flows --all --since 3m", "--all and --since exclude each other"},
        Mistake{"flows --since 3m --until 5m",
                "--until is before --since: nothing lies between them"},
        Mistake{
            "flows --since yesterday",
            "--since: 'yesterday' is not allowed; it must be a time back, as 30s or 5m, a local "
            "time, as 17:27:47, '2026-11-28 17:27:47', 'Nov 28 17:27:47.123' or 2026-11-28, or "
            "one with its zone, as 2026-11-28T17:27:47Z"},
        Mistake{"trace network --follow --until 1m", "--follow and --until exclude each other"},
        Mistake{"trace network -f --first 3", "--follow and --first exclude each other"},
        Mistake{"trace network --packets --last 3",
                "--packets shows what happens from now on: packets are not remembered, flows are"},
        Mistake{"flows --watch 0s",
                "--watch: '0s' is not allowed; it must be a time, as 500ms, 30s, 5m or 1m30s"},
        Mistake{"flows --watch 1s --watch 2s", "--watch is given twice; see orb8 flows --help"},
        Mistake{"flows --ip 300.1.1.1",
                "--ip: '300.1.1.1' is not allowed; it must be an address or "
                "a prefix, as 10.0.0.0/8 or fd00::/8"},
        Mistake{"trace network --port 65536",
                "--port: '65536' is not allowed; it must be a number from 0 to 65535, or a range, "
                "as 8000-8999"},
        Mistake{
            "trace network --protocol tpc",
            "--protocol: 'tpc' is not allowed; it must be a protocol's name, as tcp, udp, icmp, "
            "icmpv6 or sctp, or a number from 0 to 255; did you mean tcp?"},
        Mistake{"trace network --direction up",
                "--direction: 'up' is not allowed; it must be one of ingress, egress"},
        Mistake{"flows --min-rtt fast",
                "--min-rtt: 'fast' is not allowed; it must be a time with its unit, up to 1h, as "
                "50ms or 250us"},
        Mistake{"trace network --min-rtt 50",
                "--min-rtt: '50' is not allowed; it must be a time with its unit, up to 1h, as "
                "50ms or 250us"},
        Mistake{"flows --min-rtt 61m",
                "--min-rtt: '61m' is not allowed; it must be a time with its unit, up to 1h, as "
                "50ms or 250us"},
        Mistake{"flows --min-rtt 1ms --min-rtt 2ms", "--min-rtt is given twice"},
        Mistake{"trace network --packets --failed",
                "--failed and --packets exclude each other: a packet by itself has none of what "
                "tells how a connection fares"},
        Mistake{"trace network --min-rtt 50ms --packets",
                "--min-rtt and --packets exclude each other: a packet by itself has none of "
                "what tells how a connection fares"},
        Mistake{"flows --to-port 9-8",
                "--to-port: '9-8' is not allowed; it must be a number from 0 to 65535, or a range, "
                "as 8000-8999"},
        Mistake{"flows --verdict resett",
                "--verdict: 'resett' is not allowed; it must be one of established, failed, reset; "
                "did you mean reset?"},
        Mistake{"flows -l app=web,",
                "--label: 'app=web,' is not allowed; it must be a label selector, as app=web or "
                "'tier in (a,b),!canary'"},
        Mistake{"flows --not",
                "--not: what must not match is missing behind it, as --not --port 53"},
        Mistake{"flows --or --port 53",
                "--or: it stands between two filters, as --from-pod web-0 --or --to-pod web-0"},
        Mistake{"flows --port 53 --or",
                "--or: it stands between two filters, as --from-pod web-0 --or --to-pod web-0"},
        Mistake{"status --udp maybe", "--udp: 'maybe' is not allowed; it must be one of on, off"},
        Mistake{
            "status -o yaml",
            "--output: 'yaml' is not allowed; it must be one of compact, table, wide, dict, json, "
            "jsonpb"},
        Mistake{"flows -o jsonp",
                "--output: 'jsonp' is not allowed; it must be one of compact, table, wide, dict, "
                "json, jsonpb; did you mean json?"},
        Mistake{"flows --time-format RFC339",
                "--time-format: 'RFC339' is not allowed; it must be one of Clock, DateTime, "
                "StampMilli, RFC3339, RFC3339Milli, RFC3339Micro, RFC3339Nano, RFC1123Z; did you "
                "mean RFC3339?"},
        Mistake{"status --color maybe",
                "--color: 'maybe' is not allowed; it must be one of auto, always, never"},
        Mistake{"status --connect-timeout 3d",
                "--connect-timeout: '3d' is not allowed; it must be a "
                "time, as 500ms, 30s, 5m or 1m30s"}));

INSTANTIATE_TEST_SUITE_P(
    Places, CommandLineMistake,
    ::testing::Values(
        Mistake{"status --agent here",
                "--agent: 'here' is not allowed; it must be HOST:PORT, as localhost:9090 or "
                "[fd00::7]:9090"},
        Mistake{"status --agent ::1:9090",
                "--agent: '::1:9090' is not allowed; it must be HOST:PORT, as localhost:9090 or "
                "[fd00::7]:9090"},
        Mistake{"status --agent http://here:9090",
                "--agent: 'http://here:9090' is not allowed; it must be HOST:PORT, as "
                "localhost:9090 or [fd00::7]:9090"},
        Mistake{"status --agent here:70000",
                "--agent: 'here:70000' is not allowed; it must be HOST:PORT, as localhost:9090 or "
                "[fd00::7]:9090"},
        Mistake{"flows --input-file",
                "--input-file: the value is missing; it must be a file's name, "
                "or -; see orb8 flows --help"},
        Mistake{"flows --input-file=a --agent here:9090",
                "--input-file and --agent exclude each other"},
        Mistake{"--standalone trace network --input-file a",
                "--input-file and --standalone exclude each other"},
        Mistake{"flows --input-file a --watch 1s", "--input-file and --watch exclude each other"},
        Mistake{"pods --input-file a",
                "--input-file is a flag of 'flows', not of 'pods'; see orb8 pods --help"},
        Mistake{"--standalone status --agent here:9090",
                "--agent and --standalone exclude each other"},
        Mistake{"status --mode cluster",
                "--mode: 'cluster' comes with the relay server, in a later version; until then ask "
                "one agent with --agent HOST:PORT"},
        Mistake{"status --mode alone",
                "--mode: 'alone' is not allowed; it must be one of standalone, cluster"},
        Mistake{"status --flow-source magic --agent here:9090",
                "--flow-source: 'magic' is not allowed; it must be one of auto, socket, tc"},
        Mistake{"status --tc-attach tcx --tc-attach tcx", "--tc-attach is given twice"},
        Mistake{"status --config a --config b", "--config is given twice"},
        Mistake{"status --standalone --config /no/such/file",
                "read the configuration file /no/such/file: No such file or directory"},
        Mistake{"status --ring-buffer-size 65537",
                "--ring-buffer-size: '65537' is not allowed; it must be a power of two from 64K to "
                "256M"}));

TEST(CommandLine, ChecksTheAgentsAddressInTheEnvironmentToo) {
  const auto outcome = run_orb8("status", {{"ORB8_AGENT", "nowhere"}});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err,
            "orb8: ORB8_AGENT: 'nowhere' is not allowed; it must be HOST:PORT, as localhost:9090 "
            "or [fd00::7]:9090\n");
}

TEST(CommandLine, DoesNotObeyEscapesInWhatItRepeats) {
  EXPECT_EQ(run_orb8("flows --sort \x1b[2J").err,
            "orb8: --sort: '\\x1b[2J' is not allowed; it must be one of bytes, packets, last-seen, "
            "rtt, retransmits\n");
  EXPECT_THAT(run_orb8("\x1b[2J").err, StartsWith("orb8: unknown command '\\x1b[2J'"));
}

TEST(CommandLine, PrintsItsVersion) {
  for (const char* line : {"version", "--version", "-V", "version -o json"}) {
    const auto outcome = run_orb8(line, {{"ORB8_AGENT", "nowhere"}});
    EXPECT_EQ(outcome.status, 0) << line;
    EXPECT_EQ(outcome.out, "orb8 " + std::string(version()) + "\n") << line;
    EXPECT_EQ(outcome.err, "") << line;
  }
}

TEST(CommandLine, PrintsThePageOfTheCommandThatHelpIsAskedFor) {
  for (const char* line :
       {"", "status", "flows", "trace", "trace network", "version", "completion"}) {
    for (const char* flag : {" --help", " -h"}) {
      const auto outcome = run_orb8(line + std::string(flag));
      EXPECT_EQ(outcome.status, 0) << line;
      EXPECT_EQ(outcome.err, "") << line;
      const std::string name = *line == '\0' ? "orb8" : "orb8 " + std::string(line);
      EXPECT_THAT(outcome.out, HasSubstr("\nUsage:\n  " + name + " ")) << line;
      EXPECT_THAT(outcome.out, HasSubstr("\nExamples:\n")) << line;
      EXPECT_THAT(outcome.out, HasSubstr("--agent HOST:PORT")) << line;
    }
  }
}

TEST(CommandLine, PrintsItsPageToStandardErrorWhenNothingIsAsked) {
  const auto outcome = run_orb8("");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, run_orb8("--help").out);
}

TEST(CommandLine, KeepsHelpWithinNinetyColumns) {
  for (const char* line :
       {"--help", "flows --help", "trace network --help", "status --help", "completion --help"}) {
    std::istringstream lines(run_orb8(line).out);
    for (std::string text; std::getline(lines, text);) EXPECT_LE(text.size(), 90U) << text;
  }
}

TEST(CommandLine, SaysWhichFileCannotBeRead) {
  const auto outcome = run_orb8("flows --input-file /no/such/file");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "orb8: cannot read /no/such/file: No such file or directory\n");
}

TEST(CommandLine, ReplaysWithoutAnAgentThatAVariableNames) {
  const auto outcome =
      run_orb8("flows -o json --input-file /dev/null", {{"ORB8_AGENT", "nobody:1"}});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "");
}

TEST(CommandLine, TakesWordsInAnyCase) {
  EXPECT_EQ(run_orb8("flows -o JSON --time-format rfc3339 --input-file /dev/null").status, 0);
}

TEST(CommandLine, SaysWhatWasTriedWhenTheNamedAgentIsNotThere) {
  // Port 1 of this machine: nobody listens there.
  for (const auto& outcome :
       {run_orb8("flows --agent 127.0.0.1:1"), run_orb8("--agent 127.0.0.1:1 flows"),
        run_orb8("flows", {{"ORB8_AGENT", "127.0.0.1:1"}})}) {
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err,
              "orb8: no agent at 127.0.0.1:1: Connection refused; start orb8-agent there, name "
              "another with --agent HOST:PORT, or watch this machine with sudo orb8 flows "
              "--standalone\n");
  }
}

}  // namespace
}  // namespace orb8
