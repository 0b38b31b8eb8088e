// SPDX-License-Identifier: Apache-2.0
#include "core/identity/unix_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/identity/scripted_http.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using std::chrono_literals::operator""ms;
namespace fs = std::filesystem;

class UnixHttp : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "orb8-http-XXXXXX").string();
    dir_ = ::mkdtemp(name.data());
    socket_ = dir_ + "/http.sock";
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string dir_;
  std::string socket_;
};

TEST_F(UnixHttp, AsksForATargetAndGetsTheBody) {
  std::string asked;
  const std::string body(300'000, 'x');
  std::optional<Result<HttpReply>> reply;
  {
    const ScriptedHttp server(socket_, [&](const std::string& request) {
      asked = request;
      return ScriptedHttp::ok(body);
    });
    reply = unix_http_get(socket_, "/containers/json", {});
  }
  ASSERT_TRUE(*reply) << reply->error().what;
  EXPECT_EQ((*reply)->status, 200);
  EXPECT_EQ((*reply)->body, body);
  EXPECT_THAT(asked, StartsWith("GET /containers/json HTTP/1.0\r\n"));
}

TEST_F(UnixHttp, GivesUpOnASilentServerAtTheDeadline) {
  const ScriptedHttp server(socket_, [](const std::string&) { return std::nullopt; });
  const auto reply = unix_http_get(socket_, "/", {.deadline = 30ms});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::kUnavailable);
  EXPECT_THAT(reply.error().what, HasSubstr("no answer in time"));
}

TEST_F(UnixHttp, StopsWhenItIsCancelled) {
  const ScriptedHttp server(socket_, [](const std::string&) { return std::nullopt; });
  const UniqueFd cancel(::eventfd(1, EFD_CLOEXEC));
  const auto reply = unix_http_get(socket_, "/", {.deadline = 60'000ms, .cancel_fd = cancel.get()});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().what, HasSubstr("cancelled"));
}

TEST_F(UnixHttp, RefusesAReplyWithoutEnd) {
  const ScriptedHttp server(
      socket_, [](const std::string&) { return ScriptedHttp::ok(std::string(100'000, 'x')); });
  const auto reply = unix_http_get(socket_, "/", {.max_bytes = 50'000});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::kExhausted);
}

TEST_F(UnixHttp, SaysThatNobodyListens) {
  const auto reply = unix_http_get(socket_, "/", {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::kNotFound);
  EXPECT_THAT(reply.error().what, HasSubstr(socket_));
}

TEST_F(UnixHttp, RefusesAPathThatNoSocketCanHave) {
  const auto reply = unix_http_get("/" + std::string(200, 'x'), "/", {});
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::kInvalid);
}

TEST(HttpReply, EndsWhereTheServerClosedOrWhereItSaid) {
  EXPECT_EQ(parse_http_reply("HTTP/1.0 200 OK\r\n\r\nbody")->body, "body");
  EXPECT_EQ(parse_http_reply("HTTP/1.1 200 OK\r\ncontent-LENGTH: 2\r\n\r\nbody")->body, "bo");
  EXPECT_EQ(parse_http_reply("HTTP/1.1 404 Not Found\r\nX: y\r\n\r\n")->status, 404);
  EXPECT_EQ(parse_http_reply("HTTP/1.1 200\r\n\r\n")->status, 200);
}

TEST(HttpReply, IsRefusedWhenItIsNoneOrCutShort) {
  for (const char* text : {
           "",
           "HTTP/1.0 200 OK\r\n",
           "SSH-2.0-OpenSSH\r\n\r\n",
           "HTTP/1.0 \r\n\r\n",
           "HTTP/1.0 2xx OK\r\n\r\n",
           "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nbody",
           "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\nbody",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       }) {
    EXPECT_FALSE(parse_http_reply(text)) << text;
  }
}

TEST(HttpReply, HasNoMoreInItThanItsText) {
  const std::vector<std::string> pieces = {
      "HTTP/1.0", " ", "200", " OK", "\r\n", "\r\n\r\n", "Content-Length:", "3", ":", "body", "\n"};
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same replies each time
  int parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = "HTTP/1.0 200";
    for (auto length = random() % 10; length > 0; --length)
      text += pieces[random() % pieces.size()];
    const auto reply = parse_http_reply(text);
    if (!reply) continue;
    ++parsed;
    EXPECT_NE(text.find(reply->body), std::string::npos);
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace orb8
