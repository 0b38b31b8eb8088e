// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

namespace orb8 {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

// What a shell command prints, and its exit status.
std::pair<std::string, int> output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {"", -1};
  std::array<char, 4096> buffer = {};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), got);
  }
  return {text, ::pclose(pipe)};
}

class Completion : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/orb8-completion-" + std::to_string(::getpid());
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  // Keeps the shell's script in a file, and says which.
  std::string script(const std::string& shell) {
    std::ofstream(path_) << completion_script(shell);
    return path_;
  }

 private:
  std::string path_;
};

class BashCompletion : public Completion {
 protected:
  // What bash offers for the last of these words.
  std::vector<std::string> offers(const std::string& words) {
    const auto [text, status] =
        output_of("bash -c 'set -u; source " + script("bash") + "; COMP_WORDS=(" + words +
                  "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _orb8; "
                  "printf \"%s\\n\" \"${COMPREPLY[@]}\"'");
    EXPECT_EQ(status, 0) << text;
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (!line.empty()) lines.push_back(line);
    }
    return lines;
  }
};

TEST_F(BashCompletion, OffersCommands) {
  EXPECT_THAT(offers("orb8 \"\""),
              ElementsAre("status", "flows", "trace", "pods", "version", "completion"));
  EXPECT_THAT(offers("orb8 st"), ElementsAre("status"));
  EXPECT_THAT(offers("orb8 trace \"\""), ElementsAre("network"));
  EXPECT_THAT(offers("orb8 completion \"\""), ElementsAre("bash", "zsh", "fish"));
}

TEST_F(BashCompletion, OffersTheFlagsOfTheCommandAndTheGlobalOnes) {
  EXPECT_THAT(
      offers("orb8 trace network --p"),
      ElementsAre("--pod", "--port", "--process", "--protocol", "--packets", "--pod-scope"));
  EXPECT_THAT(offers("orb8 flows --"),
              IsSupersetOf({"--limit", "--watch", "--agent", "--standalone", "--interface"}));
  EXPECT_THAT(offers("orb8 status --li"), IsEmpty());
  EXPECT_THAT(offers("orb8 flows --col"), ElementsAre("--collapse-ports", "--color"));
  EXPECT_THAT(offers("orb8 trace network --col"), ElementsAre("--color"));
  EXPECT_THAT(offers("orb8 trace network --fa"), ElementsAre("--failed"));
  EXPECT_THAT(offers("orb8 flows --min"),
              ElementsAre("--min-rtt", "--min-bytes", "--min-retransmits"));
  EXPECT_THAT(offers("orb8 flows --failed --so"), ElementsAre("--sort"));
  EXPECT_THAT(offers("orb8 trace network --fo"), ElementsAre("--follow"));
  EXPECT_THAT(offers("orb8 trace network --la"), IsSupersetOf({"--last", "--label"}));
}

TEST_F(BashCompletion, OffersTheValuesOfAFlag) {
  EXPECT_THAT(offers("orb8 -o \"\""),
              ElementsAre("compact", "table", "wide", "dict", "json", "jsonpb"));
  EXPECT_THAT(offers("orb8 --time-format RFC1"), ElementsAre("RFC1123Z"));
  EXPECT_THAT(offers("orb8 flows --sort l"), ElementsAre("last-seen"));
  EXPECT_THAT(offers("orb8 flows --sort r"), ElementsAre("rtt", "retransmits"));
  EXPECT_THAT(offers("orb8 flows --by peer-n"), ElementsAre("peer-namespace", "peer-node"));
  EXPECT_THAT(offers("orb8 flows --since \"\""), IsEmpty());
  EXPECT_THAT(offers("orb8 status --udp \"\""), ElementsAre("on", "off"));
  EXPECT_THAT(offers("orb8 status --flow-source \"\""), ElementsAre("auto", "socket", "tc"));
  EXPECT_THAT(offers("orb8 status --tc-attach \"\""), ElementsAre("auto", "tcx", "clsact"));
  if (::access("/sys/class/net/lo", F_OK) == 0) {  // a chroot may be without /sys
    EXPECT_THAT(offers("orb8 status --interface l"), Contains("lo"));
  }
  EXPECT_THAT(offers("orb8 status --agent \"\""), IsEmpty());
}

TEST_F(BashCompletion, OffersFilesWhereOneIsMeant) {
  EXPECT_THAT(offers("orb8 status --config /proc/self/stat"), IsSupersetOf({"/proc/self/status"}));
  EXPECT_THAT(offers("orb8 --config status fl"), ElementsAre("flows"));
  EXPECT_THAT(offers("orb8 flows --input-file /proc/self/stat"),
              IsSupersetOf({"/proc/self/status"}));
}

TEST_F(BashCompletion, TakesAnEqualsSignForABlank) {
  EXPECT_THAT(offers("orb8 --output ="),
              ElementsAre("compact", "table", "wide", "dict", "json", "jsonpb"));
  EXPECT_THAT(offers("orb8 --output = j"), ElementsAre("json", "jsonpb"));
}

TEST_F(BashCompletion, TakesNoValueForACommand) {
  EXPECT_THAT(offers("orb8 --agent status fl"), ElementsAre("flows"));
  EXPECT_THAT(offers("orb8 --agent = status fl"), ElementsAre("flows"));
  EXPECT_THAT(offers("orb8 -o json trace \"\""), ElementsAre("network"));
  EXPECT_THAT(offers("orb8 flows --watch --li"), ElementsAre("--limit"));
}

TEST_P(Completion, HasEveryCommandAndFlag) {
  const auto text = completion_script(GetParam());
  for (const char* word : {"status", "flows", "trace", "network", "version", "completion", "limit",
                           "watch", "packets", "agent", "config", "interface", "last-seen"}) {
    EXPECT_THAT(text, HasSubstr(word));
  }
  EXPECT_THAT(text, Not(HasSubstr("{}")));
}

// Of the shells that are installed; bash is.
TEST_P(Completion, IsValidForItsShell) {
  const std::string shell = GetParam();
  if (output_of("command -v " + shell).second != 0) return;
  const auto [text, status] = output_of(shell + " -n " + script(shell) + " 2>&1");
  EXPECT_EQ(status, 0) << text;
  EXPECT_EQ(text, "");
}

INSTANTIATE_TEST_SUITE_P(Shells, Completion, ::testing::Values("bash", "zsh", "fish"));

}  // namespace
}  // namespace orb8
