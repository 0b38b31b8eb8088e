// Both ways of speaking to a receiver, held against real servers.
// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>

#include "core/base/eventually.h"
#include "core/base/temp_folder.h"
#include "core/base/unique_fd.h"
#include "core/export/otlp_receiver.h"
#include "core/export/otlp_sender.h"

namespace orb8 {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr int kInvalidArgument = 3;
constexpr int kExhausted = 8;
constexpr int kUnavailable = 14;

OtlpLogs some_logs() {
  OtlpLogs logs;
  auto& records = *logs.add_resource_logs()->add_scope_logs();
  for (const char* text : {"one", "two", "three"}) {
    records.add_log_records()->mutable_body()->set_string_value(text);
  }
  return logs;
}

enum class Speaks { kGrpc, kHttp };

// Each test with both.
class OtlpTransportTest : public ::testing::TestWithParam<Speaks> {
 protected:
  static bool grpc() { return GetParam() == Speaks::kGrpc; }

  void receive(const std::optional<OtlpTlsFiles>& tls = {}, int port = 0) {
    if (grpc()) {
      grpc_ = std::make_unique<OtlpGrpcReceiver>(script_, tls, port);
      endpoint_.url = grpc_->url();
    } else {
      http_ = std::make_unique<OtlpHttpReceiver>(script_, tls, port);
      endpoint_.url = http_->url();
    }
  }

  bool send(OtlpSender::Limits limits = {.first = 1ms, .most = 20ms, .all = 20s}) {
    const auto open = [endpoint = endpoint_] {  // as it was: a test may write it meanwhile
      return grpc() ? open_otlp_grpc(endpoint) : open_otlp_http(endpoint);
    };
    OtlpSender sender(open, limits, tally_);
    return sender.send(some_logs(), 3, give_up_.get_token());
  }

  // A code that says the same in both.
  static OtlpReply busy() { return {.code = grpc() ? kUnavailable : 503, .message = "busy"}; }
  static OtlpReply bad() {
    return {.code = grpc() ? kInvalidArgument : 400, .message = "bad data"};
  }

  OtlpScript script_;
  std::unique_ptr<OtlpGrpcReceiver> grpc_;
  std::unique_ptr<OtlpHttpReceiver> http_;
  OtlpEndpoint endpoint_;
  std::shared_ptr<ExportTally> tally_ = std::make_shared<ExportTally>("otlp-logs", "here");
  std::stop_source give_up_;
};

TEST_P(OtlpTransportTest, HandsOverWhatItIsGiven) {
  receive();
  endpoint_.headers = {"Api-Key=s3cret", "x-scope=a b"};
  ASSERT_TRUE(send());
  ASSERT_EQ(script_.logs().size(), 1U);
  EXPECT_EQ(script_.logs()[0].SerializeAsString(), some_logs().SerializeAsString());
  EXPECT_EQ(script_.header(grpc() ? "api-key" : "Api-Key"), "s3cret");
  EXPECT_EQ(script_.header("x-scope"), "a b");
  if (!grpc()) {
    EXPECT_EQ(script_.header("Content-Type"), "application/x-protobuf");
    EXPECT_EQ(script_.header("Content-Encoding"), "gzip");
  }
  EXPECT_EQ(tally_->status().exported, 3U);
}

TEST_P(OtlpTransportTest, HandsItOverUncompressedToo) {
  receive();
  endpoint_.gzip = false;
  ASSERT_TRUE(send());
  EXPECT_EQ(script_.logs()[0].SerializeAsString(), some_logs().SerializeAsString());
  EXPECT_EQ(script_.header("Content-Encoding"), "");
}

TEST_P(OtlpTransportTest, CountsWhatWasRejectedAndSendsItNotAgain) {
  receive();
  script_.say({{.message = "too old", .rejected = 2}});
  EXPECT_TRUE(send());
  EXPECT_EQ(script_.requests(), 1U);
  const auto status = tally_->status();
  EXPECT_EQ(status.exported, 1U);
  EXPECT_EQ(status.failed, 2U);
  EXPECT_EQ(status.reason, "the receiver rejected some: too old");
}

TEST_P(OtlpTransportTest, SendsAgainWhatAReceiverHadNoTimeFor) {
  receive();
  script_.say({busy(), busy(), busy()});
  EXPECT_TRUE(send());
  EXPECT_EQ(script_.requests(), 4U);
  EXPECT_EQ(tally_->status().exported, 3U);
  EXPECT_TRUE(tally_->status().healthy) << "it is over";
}

TEST_P(OtlpTransportTest, NeverSendsAgainWhatWasRefused) {
  receive();
  script_.say({bad()});
  EXPECT_FALSE(send());
  EXPECT_EQ(script_.requests(), 1U);
  const auto status = tally_->status();
  EXPECT_EQ(status.failed, 3U);
  EXPECT_FALSE(status.healthy);
  EXPECT_EQ(status.reason, grpc() ? "the receiver refused: INVALID_ARGUMENT: bad data"
                                  : "the receiver refused: HTTP status 400: bad data");
}

TEST_P(OtlpTransportTest, WaitsForAsLongAsTheReceiverSays) {
  receive();
  script_.say({{.code = grpc() ? kExhausted : 429, .message = "slower", .retry_seconds = 1}});
  const auto began = Clock::now();
  EXPECT_TRUE(send());
  EXPECT_GE(Clock::now() - began, 1s);
  EXPECT_EQ(script_.requests(), 2U);
}

// gRPC's code means "too large" as well, HTTP's does not.
TEST_P(OtlpTransportTest, TakesExhaustionWithoutATimeForGoodInGrpcAlone) {
  receive();
  script_.say({{.code = grpc() ? kExhausted : 429, .message = "too much"}});
  EXPECT_EQ(send(), !grpc());
  EXPECT_EQ(script_.requests(), grpc() ? 1U : 2U);
}

TEST_P(OtlpTransportTest, GivesARequestUpWhenItsTimeIsOver) {
  receive();
  script_.say(std::deque<OtlpReply>(1000, busy()));
  EXPECT_FALSE(send({.first = 1ms, .most = 20ms, .all = 200ms}));
  EXPECT_GT(script_.requests(), 3U);
  EXPECT_EQ(tally_->status().failed, 3U);
}

TEST_P(OtlpTransportTest, TriesAReceiverThatIsDownUntilItIsUp) {
  receive();
  const int port = grpc() ? grpc_->port() : http_->port();
  grpc_.reset();
  http_.reset();
  std::jthread sender([&] { EXPECT_TRUE(send({.first = 20ms, .most = 20ms, .all = 20s})); });
  ASSERT_TRUE(eventually([&] { return !tally_->status().healthy; }));
  EXPECT_THAT(tally_->status().reason, HasSubstr("Connection refused"));
  receive({}, port);
  sender.join();
  EXPECT_EQ(script_.logs().size(), 1U);
  EXPECT_TRUE(tally_->status().healthy);
}

TEST_P(OtlpTransportTest, DoesNotWaitForASlowReceiverForLongerThanItMay) {
  receive();
  endpoint_.timeout = 100ms;
  script_.say({{.hang = true}});
  EXPECT_TRUE(send()) << "the second try is answered";
  EXPECT_EQ(script_.requests(), 2U);
}

TEST_P(OtlpTransportTest, GivesUpAtOnceWhenItHasTo) {
  receive();
  endpoint_.timeout = 60s;
  script_.say({{.hang = true}});
  std::jthread stopper([&] {
    eventually([&] { return script_.requests() == 1; });
    give_up_.request_stop();
  });
  const auto began = Clock::now();
  EXPECT_FALSE(send());
  EXPECT_LT(Clock::now() - began, 20s);
  EXPECT_EQ(tally_->status().dropped, 3U);
}

// Takes connections, reads a little of each and closes it.
class Hangup {
 public:
  Hangup() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any = {
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof(any);
    const bool ready =
        listener_ && ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), size) == 0 &&
        ::listen(listener_.get(), 8) == 0 &&
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0;
    EXPECT_TRUE(ready);
    port_ = ntohs(any.sin_port);
    thread_ = std::jthread([this] {
      for (;;) {
        const UniqueFd one(::accept(listener_.get(), nullptr, nullptr));
        if (!one) return;
        std::array<char, 16> some = {};
        ::recv(one.get(), some.data(), some.size(), 0);
        ++times_;
      }
    });
  }
  Hangup(const Hangup&) = delete;
  Hangup& operator=(const Hangup&) = delete;
  ~Hangup() { ::shutdown(listener_.get(), SHUT_RDWR); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int times() const { return times_; }

 private:
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> times_ = 0;
  std::jthread thread_;
};

TEST_P(OtlpTransportTest, TriesAgainWhereAReceiverClosesInTheMidst) {
  const Hangup hangup;
  endpoint_.url = hangup.url();
  EXPECT_FALSE(send({.first = 1ms, .most = 20ms, .all = 500ms}));
  EXPECT_GT(hangup.times(), 1);
  EXPECT_EQ(tally_->status().failed, 3U);
}

// The authority, a receiver called localhost, a client; and an authority that signed none of them.
void make_certificates(const TempFolder& folder) {
  const auto script = "cd " + folder.path().string() + R"( && exec 2>openssl.log
    new="openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    by="-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE"
    $new -subj /CN=ca -keyout ca.key -out ca.crt &&
    $new -subj /CN=other -keyout other.key -out other.crt &&
    $new $by -subj /CN=localhost -addext subjectAltName=DNS:localhost \
      -keyout server.key -out server.crt &&
    $new $by -subj /CN=agent -keyout client.key -out client.crt)";
  ASSERT_EQ(std::system(script.c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
}

class OtlpTls : public OtlpTransportTest {
 protected:
  void SetUp() override {
    make_certificates(folder_);
    receive(OtlpTlsFiles{.cert = folder_ / "server.crt",
                         .key = folder_ / "server.key",
                         .client_ca = folder_ / "ca.crt"});
    endpoint_.ca_file = folder_ / "ca.crt";
    endpoint_.cert_file = folder_ / "client.crt";
    endpoint_.key_file = folder_ / "client.key";
  }
  bool send_once() { return send({.first = 1ms, .most = 1ms, .all = 0ms}); }
  TempFolder folder_;
};

TEST_P(OtlpTls, ShowsItsCertificateToAReceiverThatShowsTheRightOne) {
  EXPECT_TRUE(send_once()) << tally_->status().reason;
  EXPECT_EQ(script_.logs().size(), 1U);
}

TEST_P(OtlpTls, HandsNothingToAReceiverOfAnotherAuthority) {
  endpoint_.ca_file = folder_ / "other.crt";
  EXPECT_FALSE(send_once());
  EXPECT_EQ(script_.requests(), 0U);
  EXPECT_NE(tally_->status().reason, "");
}

TEST_P(OtlpTls, IsTurnedAwayWithoutACertificate) {
  endpoint_.cert_file = endpoint_.key_file = "";
  EXPECT_FALSE(send_once());
  EXPECT_EQ(script_.requests(), 0U);
}

TEST_P(OtlpTls, TakesACertificateThatComesLater) {
  const auto late = folder_ / "late.crt";
  endpoint_.ca_file = late;
  std::jthread writer([&] {
    eventually([&] { return !tally_->status().healthy; });
    std::filesystem::copy_file(folder_ / "ca.crt", late);
  });
  EXPECT_TRUE(send({.first = 10ms, .most = 20ms, .all = 20s}));
}

std::string name_of(const ::testing::TestParamInfo<Speaks>& info) {
  return info.param == Speaks::kGrpc ? "Grpc" : "Http";
}
INSTANTIATE_TEST_SUITE_P(Otlp, OtlpTransportTest, ::testing::Values(Speaks::kGrpc, Speaks::kHttp),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Otlp, OtlpTls, ::testing::Values(Speaks::kGrpc, Speaks::kHttp), name_of);

TEST(OtlpGrpc, HasNoPlaceForAPath) {
  const auto opened = open_otlp_grpc({.url = "http://collector:4317/v1"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().what, HasSubstr("has a path, which gRPC does not"));
}

}  // namespace
}  // namespace orb8
