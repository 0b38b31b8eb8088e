// SPDX-License-Identifier: Apache-2.0
#include "cli/line_reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

namespace orb8 {
namespace {

using Got = LineReader::Got;

class LineReaderTest : public ::testing::Test {
 protected:
  void TearDown() override { ::unlink(path_.c_str()); }

  LineReader reader_of(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    auto reader = LineReader::open(path_);
    EXPECT_TRUE(reader) << reader.error().what;
    return std::move(*reader);
  }

  std::string path_ = ::testing::TempDir() + "/orb8-lines-" + std::to_string(::getpid());
};

TEST_F(LineReaderTest, NumbersLinesWhateverEndsThem) {
  auto reader = reader_of("one\n\nthree\r\nfour");
  std::string line;
  for (const char* expected : {"one", "", "three", "four"}) {
    ASSERT_EQ(reader.next(line, {}), Got::kLine);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(reader.number(), 4U);
  EXPECT_EQ(reader.next(line, {}), Got::kEnd);
  EXPECT_EQ(reader.number(), 4U);
}

TEST_F(LineReaderTest, TellsALineThatIsTooLongAndGoesOn) {
  const std::string most(LineReader::kMostBytes, 'x');
  auto reader = reader_of(most + "\n" + most + "x\nnext\n");
  std::string line;
  EXPECT_EQ(reader.next(line, {}), Got::kLine);
  EXPECT_EQ(line.size(), most.size());
  EXPECT_EQ(reader.next(line, {}), Got::kTooLong);
  EXPECT_LE(line.size(), most.size());
  ASSERT_EQ(reader.next(line, {}), Got::kLine);
  EXPECT_EQ(line, "next");
  EXPECT_EQ(reader.number(), 3U);
}

TEST_F(LineReaderTest, FindsTheLinesThatGetlineFinds) {
  std::mt19937 random(5);
  for (int round = 0; round < 20; ++round) {
    std::string text;
    while (text.size() < 200'000) {
      text += std::string(random() % (round < 10 ? 20 : 90'000), 'a') + "\n";
    }
    if (round % 2 == 0) text += "rest";
    auto reader = reader_of(text);
    std::istringstream lines(text);
    std::string line;
    for (std::string expected; std::getline(lines, expected);) {
      ASSERT_EQ(reader.next(line, {}), Got::kLine);
      ASSERT_EQ(line, expected);
    }
    ASSERT_EQ(reader.next(line, {}), Got::kEnd);
  }
}

TEST_F(LineReaderTest, WaitsForWhatIsStillToComeUntilItIsStopped) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  std::fstream writer(path_, std::ios::in | std::ios::out);  // so that neither end waits for one
  auto reader = LineReader::open(path_);
  ASSERT_TRUE(reader);
  int reads = 0;
  reader->set_before_read([&] { ++reads; });
  writer << "zeroth\nfirst\nsec" << std::flush;
  std::string line;
  for (const char* expected : {"zeroth", "first"}) {
    ASSERT_EQ(reader->next(line, {}), Got::kLine);
    EXPECT_EQ(line, expected);
    EXPECT_EQ(reads, 1) << "both were there at once";
  }
  {
    const std::jthread late([&] { writer << "ond\n" << std::flush; });
    ASSERT_EQ(reader->next(line, {}), Got::kLine);
    EXPECT_EQ(line, "second");
    EXPECT_EQ(reads, 2) << "in the middle of a line, too";
  }
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(reader->next(line, stop.get_token()), Got::kStopped);
  EXPECT_EQ(reader->number(), 3U);
}

}  // namespace
}  // namespace orb8
