// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/run_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <charconv>

#include "core/base/unique_fd.h"

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Command shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .env = {}};
}

TEST(RunCommand, TakesWhatIsPrintedAndTheStatus) {
  const auto output = run_command(shell("echo out; echo err >&2; cat; exit 3"), {});
  ASSERT_TRUE(output) << output.error().what;
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_status, 3);
  EXPECT_EQ(run_command(shell("kill -9 $$"), {})->exit_status, 128 + SIGKILL);
}

TEST(RunCommand, AddsVariablesToItsOwn) {
  auto command = shell("echo $PATH:$ADDED:$HOME");
  command.env = {{"ADDED", "a b"}, {"HOME", "/nowhere"}};
  const auto output = run_command(command, {});
  EXPECT_EQ(output->out, std::string(::getenv("PATH")) + ":a b:/nowhere\n");
}

TEST(RunCommand, TakesMoreThanAPipeHoldsUpToItsBound) {
  const auto script = shell("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2");
  const auto output = run_command(script, {.max_bytes = 250'000});
  ASSERT_TRUE(output) << output.error().what;
  EXPECT_EQ(output->exit_status, 0);
  EXPECT_THAT(output->out, SizeIs(250'000));
  EXPECT_THAT(output->err, SizeIs(200'000));
}

TEST(RunCommand, DoesNotWaitForWhatTheProgramLeftBehind) {
  const auto output = run_command(shell("echo $$; sleep 60 &"), {.deadline = 20s});
  ASSERT_TRUE(output) << output.error().what;
  EXPECT_THAT(output->out, Not(IsEmpty()));
  // The sleep is of the program's group, which is still there.
  int group = 0;
  std::from_chars(output->out.data(), output->out.data() + output->out.size(), group);
  ASSERT_GT(group, 1);
  EXPECT_EQ(::kill(-group, SIGKILL), 0);
}

TEST(RunCommand, KillsAProgramThatDoesNotEndAndWhatItStarted) {
  const auto output = run_command(shell("sleep 60 & sleep 60"), {.deadline = 100ms});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Errc::kUnavailable);
  EXPECT_THAT(output.error().what, HasSubstr("no end in time"));
}

TEST(RunCommand, StopsWhenItIsCancelled) {
  const UniqueFd cancel(::eventfd(1, EFD_CLOEXEC));
  const auto output = run_command(shell("sleep 60"), {.cancel_fd = cancel.get()});
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().what, HasSubstr("cancelled"));
}

TEST(RunCommand, SaysThatThereIsNoSuchProgram) {
  const auto output = run_command({.argv = {"orb8-no-such-program"}, .env = {}}, {});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace orb8::k8s
