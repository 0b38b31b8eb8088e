// When the file's records are brought to the disk, and what is said when they cannot be.
// SPDX-License-Identifier: Apache-2.0
#include "core/export/file_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "core/base/log_capture.h"
#include "core/base/temp_folder.h"

namespace orb8 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Fsync = FileSink::Fsync;

class FileSinkTest : public ::testing::Test {
 protected:
  FileSink sink(Fsync fsync, std::uint64_t max_size = 1U << 20U) {
    const auto note = [this](const char* what) {
      return [this, what](int) {
        if (broken_) {
          errno = EIO;
          return -1;
        }
        synced_.emplace_back(what);
        return 0;
      };
    };
    return {RotatingFile::Options{.path = folder_ / "flows",
                                  .max_size = max_size,
                                  .sync = fsync != Fsync::kNever,
                                  .sync_file = note("file"),
                                  .sync_folder = note("folder")},
            fsync, tally_};
  }
  // A line of some 200 bytes.
  static void write(FileSink& to) { EXPECT_TRUE(to.write(std::array<Event, 1>{}, {})); }
  bool was_renamed() const { return std::filesystem::exists(folder_ / "flows.1"); }

  TempFolder folder_;
  std::vector<std::string> synced_;
  bool broken_ = false;
  std::shared_ptr<ExportTally> tally_ = std::make_shared<ExportTally>("file", "flows");
};

TEST_F(FileSinkTest, LeavesAllToTheSystemWithNever) {
  auto to = sink(Fsync::kNever, 1);  // each line into a file of its own
  for (int i = 0; i < 3; ++i) write(to);
  to.interval_over();
  EXPECT_TRUE(was_renamed());
  EXPECT_THAT(synced_, IsEmpty());
}

TEST_F(FileSinkTest, SyncsWithIntervalWhenOneIsOver) {
  auto to = sink(Fsync::kInterval);
  write(to);
  write(to);
  EXPECT_THAT(synced_, IsEmpty());
  to.interval_over();
  EXPECT_THAT(synced_, ElementsAre("file", "folder")) << "the file is a new one";
  write(to);
  to.interval_over();
  EXPECT_THAT(synced_, ElementsAre("file", "folder", "file"));
}

TEST_F(FileSinkTest, SyncsWithAlwaysAfterEachBatch) {
  auto to = sink(Fsync::kAlways);
  write(to);
  EXPECT_THAT(synced_, ElementsAre("file", "folder"));
  write(to);
  EXPECT_THAT(synced_, ElementsAre("file", "folder", "file"));
}

TEST_F(FileSinkTest, SyncsAFileBeforeItIsRenamedAndTheNamesAfterwards) {
  auto to = sink(Fsync::kInterval, 1);
  write(to);
  write(to);
  EXPECT_TRUE(was_renamed());
  EXPECT_THAT(synced_, ElementsAre("file", "folder")) << "what was renamed, as it began";
  to.interval_over();
  EXPECT_THAT(synced_, ElementsAre("file", "folder", "file", "folder"));
}

TEST_F(FileSinkTest, SyncsAFileThatSomebodyElseRenamedBeforeItIsLetGo) {
  auto to = sink(Fsync::kInterval);
  write(to);
  std::filesystem::rename(folder_ / "flows", folder_ / "flows.old");
  write(to);
  EXPECT_THAT(synced_, ElementsAre("file", "folder"));
}

TEST_F(FileSinkTest, GoesOnInANewFileThoughTheOldOneCannotBeSynced) {
  auto to = sink(Fsync::kInterval);
  write(to);
  std::filesystem::rename(folder_ / "flows", folder_ / "flows.old");
  broken_ = true;
  EXPECT_FALSE(to.write(std::array<Event, 1>{}, {})) << "so that it is told";
  write(to);
  EXPECT_EQ(tally_->status().exported, 2U);
  EXPECT_EQ(tally_->status().failed, 1U);
}

TEST_F(FileSinkTest, IsUnwellUntilASyncSucceedsWhateverIsWrittenMeanwhile) {
  const LogCapture log;
  auto to = sink(Fsync::kInterval);
  broken_ = true;
  for (int i = 0; i < 3; ++i) {
    write(to);
    to.interval_over();
  }
  write(to);
  EXPECT_FALSE(tally_->status().healthy);
  EXPECT_THAT(tally_->status().reason, HasSubstr("to the disk: Input/output error"));
  EXPECT_EQ(tally_->status().exported, 4U) << "they are written";
  auto said = log.text();
  EXPECT_EQ(said.find("to the disk"), said.rfind("to the disk")) << said;
  EXPECT_THAT(said, Not(HasSubstr("goes on")));
  broken_ = false;
  to.interval_over();
  EXPECT_TRUE(tally_->status().healthy);
  EXPECT_THAT(log.text(), HasSubstr("Export file goes on"));
}

// Of the real calls: a folder is one that can be brought to the disk.
TEST_F(FileSinkTest, SyncsARealFileAndItsFolder) {
  FileSink to({.path = folder_ / "flows", .sync = true}, Fsync::kAlways, tally_);
  write(to);
  EXPECT_TRUE(tally_->status().healthy) << tally_->status().reason;
}

}  // namespace
}  // namespace orb8
