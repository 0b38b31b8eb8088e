// SPDX-License-Identifier: Apache-2.0
#include "core/config/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string error_of(const std::string& text) {
  const auto parsed = parse_config_file("f", text);
  return parsed ? "no error" : parsed.error().what;
}

TEST(ParseConfigFile, GivesValuesWithTheirLines) {
  const auto parsed = parse_config_file("f",
                                        "# a comment\n\ngrpc_port: 1\ninterface:\n  - eth0\n"
                                        "  - 'veth*'\nnode_name: \"a\"  # behind\n");
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(parsed->size(), 3U);
  EXPECT_EQ(parsed->at("grpc_port").line, 3);
  EXPECT_THAT(parsed->at("grpc_port").values, ElementsAre("1"));
  EXPECT_THAT(parsed->at("interface").values, ElementsAre("eth0", "veth*"));
  EXPECT_THAT(parsed->at("node_name").values, ElementsAre("a"));
}

TEST(ParseConfigFile, TakesAFileWithoutSettings) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "---\n...\n", "{}\n", "~\n"}) {
    const auto parsed = parse_config_file("f", text);
    ASSERT_TRUE(parsed) << "'" << text << "': " << parsed.error().what;
    EXPECT_TRUE(parsed->empty());
  }
}

TEST(ParseConfigFile, SuggestsTheKeyThatWasMeant) {
  EXPECT_EQ(error_of("grpc_prot: 1\n"), "f:1: unknown key 'grpc_prot'; did you mean 'grpc_port'?");
  EXPECT_EQ(error_of("\ninterfaces: a\n"),
            "f:2: unknown key 'interfaces'; did you mean 'interface'?");
  EXPECT_EQ(error_of("grpc-port: 1\n"), "f:1: unknown key 'grpc-port'; did you mean 'grpc_port'?");
  EXPECT_EQ(error_of("ORB8_MAX_FLOWS: 1\n"),
            "f:1: unknown key 'ORB8_MAX_FLOWS'; did you mean 'max_flows'?");
  EXPECT_EQ(error_of("colour: 1\n"),
            "f:1: unknown key 'colour'; orb8-agent --print-config shows all there are");
}

TEST(ParseConfigFile, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(error_of("grpc_port: 1\ngrpc_port: 1\n"), "f:2: 'grpc_port' is there twice");
}

TEST(ParseConfigFile, RefusesASecondDocumentInsteadOfIgnoringIt) {
  EXPECT_EQ(error_of("grpc_port: 1\n---\nhealth_port: 2\n"),
            "f:2: a second document; put all settings into one");
  EXPECT_THAT(error_of("---\n~\n---\nhealth_port: x\n"), HasSubstr("a second document"));
  EXPECT_THAT(error_of("grpc_port: 1\n...\n...\n---\nx"), HasSubstr("a second document"));
}

// yaml-cpp's loader never came back from the second, found by fuzzing.
TEST(ParseConfigFile, RefusesABracketThatClosesNothing) {
  EXPECT_NE(error_of("grpc_port: 1\n]\n"), "no error");
  EXPECT_NE(error_of("&x a*x]\n? {}"), "no error");
  EXPECT_NE(error_of("{}}\n"), "no error");
}

TEST(ParseConfigFile, FollowsNoAlias) {
  EXPECT_EQ(error_of("grpc_port: &p 1\nhealth_port: *p\n"),
            "f:2: an alias (*); write the value itself");
  EXPECT_EQ(error_of("interface: &x [*x]\n"), "f:1: an alias (*); write the value itself");
}

TEST(ParseConfigFile, RefusesWhatIsNoFlatMap) {
  EXPECT_EQ(error_of("- a\n- b\n"), "f:1: not a map of 'key: value' lines");
  EXPECT_EQ(error_of("grpc_port\n"), "f:1: not a map of 'key: value' lines");
  EXPECT_EQ(error_of("[a]: 1\n"), "f:1: a key must be a word");
  EXPECT_EQ(error_of("grpc_port: {a: 1}\n"), "f:1: grpc_port: needs a number from 0 to 65535");
  EXPECT_EQ(error_of("grpc_port: [1]\n"), "f:1: grpc_port: needs a number from 0 to 65535");
  EXPECT_EQ(error_of("grpc_port:\n"), "f:1: grpc_port: needs a number from 0 to 65535");
  EXPECT_EQ(error_of("interface:\n  - [a]\n"), "f:2: interface: a list of plain values");
}

TEST(ParseConfigFile, SaysOnOneLineWhereItIsNoYaml) {
  for (const std::string text : {"grpc_port: [1, 2\n", "\n\na: b: c\n", "\tgrpc_port: 1\n",
                                 "a: *b\n", "a: \"\n\n", "%YAML 9.9\n---\na: 1\n", "a: !<\n"}) {
    const auto error = error_of(text);
    EXPECT_TRUE(error.starts_with("f:")) << error;
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
  EXPECT_THAT(error_of("\n\na: b: c\n"), HasSubstr("f:3: "));
}

// yaml-cpp says so with an exception of a kind of its own.
TEST(ParseConfigFile, RefusesDepthWithoutBound) {
  EXPECT_TRUE(error_of("interface: " + std::string(100'000, '[')).starts_with("f:1: "));
  EXPECT_TRUE(error_of(std::string(100'000, '{')).starts_with("f:1: "));
}

class ReadConfigText : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-text-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_F(ReadConfigText, ReadsAllOfIt) {
  const std::string text(100'001, 'x');
  std::ofstream(folder_ + "/f") << text;
  EXPECT_EQ(read_config_text(folder_ + "/f"), text);
}

TEST_F(ReadConfigText, NamesAFileThatIsNotThere) {
  const auto read = read_config_text(folder_ + "/f");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::kNotFound);
  EXPECT_EQ(read.error().what,
            "read the configuration file " + folder_ + "/f: No such file or directory");
}

TEST_F(ReadConfigText, DoesNotTakeAFolderForAnEmptyFile) {
  const auto read = read_config_text(folder_);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what, "read the configuration file " + folder_ + ": Is a directory");
}

TEST_F(ReadConfigText, EndsReadingWhatHasNoEnd) {
  const auto read = read_config_text("/dev/zero");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what, "read the configuration file /dev/zero: larger than 1 MiB");
}

}  // namespace
}  // namespace orb8
