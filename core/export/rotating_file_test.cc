// SPDX-License-Identifier: Apache-2.0
#include "core/export/rotating_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "core/base/temp_folder.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;

class RotatingFileTest : public ::testing::Test {
 protected:
  std::string read(const std::string& name) const {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }
  RotatingFile::Options options(std::uint64_t max_size = 1000, std::uint32_t keep = 2) const {
    return {.path = folder_ / "flows", .max_size = max_size, .keep = keep};
  }
  static std::string error_of(const RotatingFile::Appended& appended) {
    return appended.error ? appended.error->what : "no error";
  }

  TempFolder folder_;
};

TEST_F(RotatingFileTest, AppendsToWhatIsThere) {
  write("flows", "{1}\n");
  RotatingFile file(options());
  EXPECT_EQ(file.append("{2}\n{3}\n").bytes, 8U);
  EXPECT_EQ(read("flows"), "{1}\n{2}\n{3}\n");
}

TEST_F(RotatingFileTest, IsReadByNoStranger) {
  RotatingFile file(options());
  file.append("{1}\n");
  const auto mode = std::filesystem::status(folder_ / "flows").permissions();
  EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(RotatingFileTest, IsRenamedBeforeTheLineThatHasNoRoom) {
  RotatingFile file(options(8, 2));
  for (const char* line : {"{11}\n", "{2}\n{3}\n", "{4}\n", "{555}\n"}) file.append(line);
  EXPECT_EQ(read("flows"), "{555}\n");
  EXPECT_EQ(read("flows.1"), "{4}\n");
  EXPECT_EQ(read("flows.2"), "{2}\n{3}\n") << "which leave no room";
  EXPECT_FALSE(exists("flows.3"));
}

TEST_F(RotatingFileTest, KeepsNoneWhereNoneIsWanted) {
  RotatingFile file(options(4, 0));
  file.append("{1}\n{2}\n");
  EXPECT_EQ(read("flows"), "{2}\n");
  EXPECT_FALSE(exists("flows.1"));
}

TEST_F(RotatingFileTest, TakesALineThatIsLongerThanItMayBe) {
  RotatingFile file(options(4, 1));
  EXPECT_EQ(file.append("{1}\n{22222}\n{3}\n").bytes, 16U);
  EXPECT_EQ(read("flows.1"), "{22222}\n");
  EXPECT_EQ(read("flows"), "{3}\n");
}

TEST_F(RotatingFileTest, CutsOffALineThatACrashTore) {
  write("flows", "{1}\n{2");
  RotatingFile file(options());
  file.append("{3}\n");
  EXPECT_EQ(read("flows"), "{1}\n{3}\n");
  write("flows", "{2");
  RotatingFile other(options());
  other.append("{3}\n");
  EXPECT_EQ(read("flows"), "{3}\n");
}

TEST_F(RotatingFileTest, CutsOffNothingOfWhatIsNotItsOwn) {
  write("flows", "somebody's notes");
  RotatingFile file(options());
  file.append("{3}\n");
  EXPECT_EQ(read("flows"), "somebody's notes\n{3}\n");
}

TEST_F(RotatingFileTest, GoesOnInANewFileWhereItsOwnWasRenamedRemovedOrEmptied) {
  RotatingFile file(options());
  file.append("{1}\n");
  std::filesystem::rename(folder_ / "flows", folder_ / "flows-20260101");
  file.append("{2}\n");
  EXPECT_EQ(read("flows-20260101"), "{1}\n");
  EXPECT_EQ(read("flows"), "{2}\n");
  std::filesystem::remove(folder_ / "flows");
  file.append("{3}\n");
  EXPECT_EQ(read("flows"), "{3}\n");
  std::filesystem::resize_file(folder_ / "flows", 0);  // as logrotate's copytruncate
  file.append("{4}\n");
  EXPECT_EQ(read("flows"), "{4}\n");
}

TEST_F(RotatingFileTest, SaysWhatToDoWhereThereIsNoFolder) {
  RotatingFile file({.path = folder_ / "none/flows"});
  const auto appended = file.append("{1}\n");
  EXPECT_EQ(appended.bytes, 0U);
  EXPECT_EQ(error_of(appended), "open " + (folder_ / "none/flows") +
                                    ": No such file or directory; make the folder, or change "
                                    "export_file");
  std::filesystem::create_directory(folder_ / "none");
  EXPECT_EQ(file.append("{1}\n").bytes, 4U) << "it is tried again";
}

TEST_F(RotatingFileTest, WritesToRegularFilesAlone) {
  ASSERT_EQ(::mkfifo((folder_ / "flows").c_str(), 0600), 0);
  RotatingFile file(options());
  EXPECT_THAT(error_of(file.append("{1}\n")), HasSubstr("it is no regular file"));
}

TEST_F(RotatingFileTest, WritesNothingMoreWhereItCannotBeRenamed) {
  std::filesystem::create_directories(folder_ / "flows.1/in the way");
  RotatingFile file(options(4, 1));
  const auto appended = file.append("{1}\n{2}\n");
  EXPECT_EQ(appended.bytes, 4U) << "its size is a promise";
  EXPECT_THAT(error_of(appended), HasSubstr("rename " + (folder_ / "flows")));
  std::filesystem::remove_all(folder_ / "flows.1");
  EXPECT_EQ(file.append("{2}\n").bytes, 4U);
  EXPECT_EQ(read("flows"), "{2}\n");
}

// All files together, oldest first, are what was appended, in order and in whole lines.
TEST_F(RotatingFileTest, LosesAndDoublesNothingHoweverItIsCutIntoFiles) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    const auto folder = "round" + std::to_string(round);
    std::filesystem::create_directory(folder_ / folder);
    const auto path = folder_ / (folder + "/flows");
    RotatingFile file({.path = path, .max_size = 20 + random() % 200, .keep = 1000});
    std::string all;
    for (int batch = 0; batch < 20; ++batch) {
      std::string lines;
      for (auto left = random() % 8; left > 0; --left) {
        lines += "{" + std::string(random() % 60, 'x') + "}\n";
      }
      ASSERT_EQ(file.append(lines).bytes, lines.size());
      all += lines;
    }
    std::string found;
    for (int number = 1000; number >= 0; --number) {
      const auto name =
          number == 0 ? folder + "/flows" : folder + "/flows." + std::to_string(number);
      if (!exists(name)) continue;
      const auto text = read(name);
      EXPECT_TRUE(text.ends_with('\n')) << name;
      found += text;
    }
    EXPECT_EQ(found, all);
  }
}

}  // namespace
}  // namespace orb8
