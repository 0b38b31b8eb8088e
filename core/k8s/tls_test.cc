// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <optional>

#include "core/k8s/recording_sink.h"
#include "core/k8s/run_command.h"
#include "core/k8s/scripted_api.h"
#include "core/k8s/temp_dir.h"
#include "core/k8s/watcher.h"

namespace orb8::k8s {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A server that takes clients of its own authority alone, and is called `kubernetes`.
class Tls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir = new TempDir;
    make_certificates(*dir);
  }
  static void TearDownTestSuite() { delete dir; }

  // The authority, the server, the client; and an authority that signed none of them.
  static void make_certificates(const TempDir& in) {
    const auto output = run_command({.argv = {"sh", "-ec", R"(
          cd "$DIR"
          new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
          $new -subj /CN=ca -keyout ca.key -out ca.crt
          $new -subj /CN=other -keyout other.key -out other.crt
          by="-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE"
          $new $by -subj /CN=kubernetes -addext subjectAltName=DNS:kubernetes \
            -keyout server.key -out server.crt
          $new $by -subj /CN=agent -keyout client.key -out client.crt)"},
                                     .env = {{"DIR", in.path("")}}},
                                    {});
    ASSERT_TRUE(output) << output.error().what;
    ASSERT_EQ(output->exit_status, 0) << output->err;
  }

  void SetUp() override { serve(*dir); }

  void serve(const TempDir& with, int port = 0) {
    api_.emplace(
        [](const httplib::Request& request) -> Answer {
          if (request.has_param("watch")) return {.stream = std::make_shared<Stream>()};
          return {.body = R"({"kind":"List","metadata":{"resourceVersion":"1"},"items":[]})"};
        },
        TlsFiles{.cert = with.path("server.crt"),
                 .key = with.path("server.key"),
                 .client_ca = with.path("ca.crt")},
        port);
    access_ = {.server = api_->url(),
               .ca = {.file = with.path("ca.crt"), .text = {}},
               .tls_server_name = "kubernetes",
               .cert = {.file = with.path("client.crt"), .text = {}},
               .key = {.file = with.path("client.key"), .text = {}}};
  }

  static Pem file(const std::string& name) { return {.file = dir->path(name), .text = {}}; }
  static Pem text(const std::string& name) {
    std::ifstream in(dir->path(name));
    return {.file = {}, .text = {std::istreambuf_iterator<char>(in), {}}};
  }

  bool syncs() {
    start();
    return sink_.wait([&] { return watcher_->synced(); });
  }

  std::string problem() {
    start();
    sink_.wait([&] { return watcher_->counters().failed_requests > 0; });
    EXPECT_FALSE(watcher_->synced());
    return watcher_->component().reason;
  }

  void start() {
    auto watcher = Watcher::start(access_, {.backoff = {.first = 10ms, .most = 50ms}}, sink_);
    ASSERT_TRUE(watcher) << watcher.error().what;
    watcher_ = std::move(*watcher);
  }

  static TempDir* dir;
  Access access_;
  RecordingSink sink_;
  std::optional<ScriptedApi> api_;
  std::unique_ptr<Watcher> watcher_;
};

TempDir* Tls::dir = nullptr;

TEST_F(Tls, TakesCertificatesByFile) {
  EXPECT_TRUE(syncs());
}

TEST_F(Tls, TakesEmbeddedCertificates) {
  access_.ca = text("ca.crt");
  access_.cert = text("client.crt");
  access_.key = text("client.key");
  EXPECT_TRUE(syncs());
}

TEST_F(Tls, TakesACertificateFromAnExecPlugin) {
  dir->write_program("plugin", R"(
pem() { sed ':a;N;$!ba;s/\n/\\n/g' ")" +
                                   dir->path("") + R"($1"; }
printf '%s' "{\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"$(pem client.crt)\",
\"clientKeyData\":\"$(pem client.key)\"}}"
)");
  access_.cert = access_.key = {};
  access_.exec = ExecPlugin{.command = dir->path("plugin")};
  EXPECT_TRUE(syncs()) << watcher_->component().reason;
}

TEST_F(Tls, TakesTheAuthorityThatReplacedAnotherWhileItRuns) {
  const TempDir replaced;
  make_certificates(replaced);
  serve(replaced);
  ASSERT_TRUE(syncs()) << watcher_->component().reason;
  const int port = api_->port();
  api_.reset();
  make_certificates(replaced);
  serve(replaced, port);
  EXPECT_TRUE(sink_.wait([&] { return !api_->asked({"watch="}).empty(); }))
      << watcher_->component().reason;
}

TEST_F(Tls, RefusesAServerOfAnotherAuthority) {
  access_.ca = file("other.crt");
  EXPECT_THAT(problem(), HasSubstr("certificate"));
}

TEST_F(Tls, RefusesAServerOfAnotherName) {
  access_.tls_server_name.clear();
  EXPECT_THAT(problem(), HasSubstr("127.0.0.1"));
}

TEST_F(Tls, TakesAnyServerWhereTheKubeconfigSaysSo) {
  access_.ca = {};
  access_.tls_server_name.clear();
  access_.insecure = true;
  EXPECT_TRUE(syncs());
}

TEST_F(Tls, SaysThatTheServerWantsACertificate) {
  access_.cert = access_.key = {};
  EXPECT_THAT(problem(), HasSubstr("talk to https://127.0.0.1"));
}

TEST_F(Tls, SaysThatACertificateCannotBeRead) {
  access_.cert = file("absent.crt");
  EXPECT_THAT(problem(), HasSubstr("absent.crt"));
}

}  // namespace
}  // namespace orb8::k8s
