// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/authenticator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "core/k8s/exec_credential.h"
#include "core/k8s/temp_dir.h"

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Authenticator, ReadsTheTokenAnewAndKeepsTheLastOne) {
  const TempDir dir;
  dir.write("token", " first\n");
  Authenticator authenticator({.token = "other", .token_file = dir.path("token")}, {});
  EXPECT_EQ(authenticator.credential()->token, "first");
  dir.write("token", "second");
  EXPECT_EQ(authenticator.credential()->token, "second");
  std::filesystem::remove(dir.path("token"));
  EXPECT_EQ(authenticator.credential()->token, "second");
}

TEST(Authenticator, SaysThatATokenCannotBeRead) {
  const TempDir dir;
  Authenticator authenticator({.token_file = dir.path("token")}, {});
  EXPECT_THAT(authenticator.credential().error().what, HasSubstr(dir.path("token")));
  dir.write("token", "\n");
  EXPECT_THAT(authenticator.credential().error().what, HasSubstr("empty"));
  Authenticator with_another({.token = "t", .token_file = dir.path("absent")}, {});
  EXPECT_EQ(with_another.credential()->token, "t");
}

TEST(Authenticator, RefusesATokenThatWouldBeTwoHeaders) {
  Authenticator authenticator({.origin = "here", .token = "a\r\nX-Other: b"}, {});
  const auto credential = authenticator.credential();
  ASSERT_FALSE(credential);
  EXPECT_EQ(credential.error().code, Errc::kInvalid);
}

TEST(Authenticator, IsNobodyWithoutAToken) {
  Authenticator authenticator({.cert = {.file = "c"}, .key = {.file = "k"}}, {});
  EXPECT_THAT(authenticator.credential()->token, IsEmpty());
  EXPECT_EQ(authenticator.credential()->cert.file, "c");
}

class ExecPluginTest : public ::testing::Test {
 protected:
  // Counts its runs in the token, and adds this to its status.
  void plugin(const std::string& status) {
    dir_.write("runs", "");
    dir_.write_program("plugin",
                       "echo x >> " + dir_.path("runs") + "\n" +
                           "echo '{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"run-'" +
                           "$(wc -l < " + dir_.path("runs") + ")'\"" + status + "}}'\n");
    access_.exec = ExecPlugin{.command = dir_.path("plugin")};
  }

  void failing_plugin() {
    dir_.write("runs", "");
    dir_.write_program("plugin",
                       "echo x >> " + dir_.path("runs") + "; echo not logged in >&2; exit 1\n");
    access_.exec = ExecPlugin{.command = dir_.path("plugin")};
  }

  std::ptrdiff_t runs() const {
    std::ifstream lines(dir_.path("runs"));
    return std::count(std::istreambuf_iterator<char>(lines), {}, '\n');
  }

  TempDir dir_;
  Access access_;
};

TEST_F(ExecPluginTest, IsRunOnceUntilItsCredentialIsRefused) {
  plugin("");
  Authenticator authenticator(access_, {});
  EXPECT_EQ(authenticator.credential()->token, "run-1");
  EXPECT_EQ(authenticator.credential()->token, "run-1");
  authenticator.refused();
  EXPECT_EQ(authenticator.credential()->token, "run-2");
}

TEST_F(ExecPluginTest, IsRunAgainWhenItsCredentialExpires) {
  plugin(R"(,"expirationTimestamp":"2020-01-01T00:00:00Z")");
  Authenticator expired(access_, {});
  EXPECT_EQ(expired.credential()->token, "run-1");
  EXPECT_EQ(expired.credential()->token, "run-2");
  plugin(R"(,"expirationTimestamp":"2200-01-01T00:00:00Z")");
  Authenticator valid(access_, {});
  EXPECT_EQ(valid.credential()->token, "run-1");
  EXPECT_EQ(valid.credential()->token, "run-1");
}

TEST_F(ExecPluginTest, IsNotRunAgainAtOnceWhenItFails) {
  failing_plugin();
  Authenticator authenticator(access_, {});
  const auto first = authenticator.credential();
  const auto second = authenticator.credential();
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(runs(), 1);
  EXPECT_THAT(second.error().what, HasSubstr("not logged in"));
  EXPECT_EQ(second.error().what, first.error().what);
}

TEST_F(ExecPluginTest, IsRunAgainAWhileAfterItFailed) {
  failing_plugin();
  Authenticator authenticator(access_, {}, 0ms);
  EXPECT_FALSE(authenticator.credential());
  plugin("");
  EXPECT_EQ(authenticator.credential()->token, "run-1");
  authenticator.refused();
  failing_plugin();
  EXPECT_FALSE(authenticator.credential());
  EXPECT_FALSE(authenticator.credential());
  EXPECT_EQ(runs(), 2);
}

TEST_F(ExecPluginTest, GetsItsArgumentsItsVariablesAndWhatItIsFor) {
  dir_.write_program(
      "plugin", "echo \"$@ $WHO $KUBERNETES_EXEC_INFO\" > " + dir_.path("told") + "\nexit 1\n");
  access_ = {.server = "https://h:1",
             .ca = {.file = {}, .text = "ca"},
             .insecure = true,
             .tls_server_name = "k\"8s",
             .exec = ExecPlugin{.command = dir_.path("plugin"),
                                .args = {"get", "token"},
                                .env = {{"WHO", "me"}},
                                .api_version = "client.authentication.k8s.io/v1",
                                .wants_cluster = true}};
  EXPECT_FALSE(run_exec_plugin(*access_.exec, access_, {}));
  std::ifstream told(dir_.path("told"));
  std::string line;
  std::getline(told, line);
  EXPECT_EQ(
      line,
      R"(get token me {"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1",)"
      R"("spec":{"cluster":{"server":"https://h:1","certificate-authority-data":"Y2E=",)"
      R"("insecure-skip-tls-verify":true,"tls-server-name":"k\"8s"},"interactive":false}})");
}

TEST_F(ExecPluginTest, SaysWhyThereIsNoCredential) {
  dir_.write_program("plugin", "echo not logged in >&2; exit 2\n");
  access_.exec = ExecPlugin{.command = dir_.path("plugin"), .install_hint = "install it"};
  EXPECT_THAT(run_exec_plugin(*access_.exec, access_, {}).error().what,
              AllOf(HasSubstr(dir_.path("plugin")), HasSubstr("exit status 2 (not logged in )")));
  access_.exec->command = dir_.path("absent");
  EXPECT_THAT(run_exec_plugin(*access_.exec, access_, {}).error().what, HasSubstr("; install it"));
}

TEST(ExecCredential, HasATokenOrACertificate) {
  std::string json = R"({"kind":"ExecCredential","status":{"clientCertificateData":"c",)"
                     R"("clientKeyData":"k","expirationTimestamp":"1970-01-01T00:00:01Z"}})";
  const auto credential = parse_exec_credential(json);
  ASSERT_TRUE(credential) << credential.error().what;
  EXPECT_EQ(credential->cert, "c");
  EXPECT_EQ(credential->key, "k");
  EXPECT_EQ(credential->expires_ns, 1'000'000'000);
}

TEST(ExecCredential, IsRefusedWhenItIsNone) {
  for (std::string json : {
           "",
           "token",
           R"({"kind":"ExecCredential"})",
           R"({"kind":"ExecCredential","status":{}})",
           R"({"kind":"Other","status":{"token":"t"}})",
           R"({"kind":"ExecCredential","status":{"token":7}})",
           R"({"kind":"ExecCredential","status":{"clientKeyData":"k"}})",
           R"({"kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"soon"}})",
       }) {
    EXPECT_FALSE(parse_exec_credential(json)) << json;
  }
}

}  // namespace
}  // namespace orb8::k8s
