// SPDX-License-Identifier: Apache-2.0
#include "agent/health_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/eventually.h"
#include "core/base/unique_fd.h"

namespace orb8 {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

UniqueFd connect_to(std::uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return socket;
}

class HealthServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    server_ = *HealthServer::start({"127.0.0.1", 0});
    server_->follow([this] { return status_; }, [this] { return alive_; });
  }

  std::pair<int, std::string> get(const std::string& path) const {
    httplib::Client client("127.0.0.1", server_->port());
    const auto answer = client.Get(path.c_str());
    return answer ? std::pair(answer->status, answer->body) : std::pair(0, std::string());
  }

  Status status_;
  bool alive_ = true;
  std::unique_ptr<HealthServer> server_;
};

TEST_F(HealthServerTest, IsOkWhileEveryComponentIs) {
  status_.components = {{.name = "flow-source"}};
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 200);
  EXPECT_EQ(Json::parse(body), Json::parse(R"({"status": "ok", "components": [
      {"name": "flow-source", "healthy": true, "reason": ""}]})"));
}

TEST_F(HealthServerTest, Answers503WithTheReasonOfEachComponent) {
  status_.components = {{.name = "flow-source"},
                        {.name = "interfaces", .healthy = false, .reason = "attach to \"eth0\""}};
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 503);
  const auto json = Json::parse(body);
  EXPECT_EQ(json["status"], "degraded");
  EXPECT_EQ(json["components"][1]["reason"], "attach to \"eth0\"");
}

TEST_F(HealthServerTest, IsAliveBeforeThereIsAnythingToTell) {
  server_->follow({}, {});
  EXPECT_EQ(get("/livez").first, 200);
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 200);
  EXPECT_EQ(Json::parse(body), Json::parse(R"({"status": "ok", "components": []})"));
}

TEST_F(HealthServerTest, StaysJsonWhateverAnInterfaceIsCalled) {
  status_.components = {{.name = "interfaces", .healthy = false, .reason = "attach to \xFF"}};
  const auto [code, body] = get("/healthz");
  EXPECT_EQ(code, 503);
  EXPECT_EQ(Json::parse(body)["components"][0]["reason"], "attach to \xEF\xBF\xBD");
}

TEST_F(HealthServerTest, IsReadyOnlyWhileToldSo) {
  EXPECT_EQ(get("/readyz").first, 503);
  server_->set_ready(true);
  EXPECT_EQ(get("/readyz").first, 200);
  EXPECT_EQ(Json::parse(get("/readyz").second)["status"], "ready");
  server_->set_ready(false);
  EXPECT_EQ(get("/readyz").first, 503);
}

TEST_F(HealthServerTest, IsAliveThoughAComponentIsNotHealthy) {
  status_.components = {{.name = "flow-table", .healthy = false, .reason = "the table is full"}};
  EXPECT_EQ(get("/healthz").first, 503);
  EXPECT_EQ(get("/livez").first, 200);
}

TEST_F(HealthServerTest, SaysThatItIsWedged) {
  alive_ = false;
  const auto [code, body] = get("/livez");
  EXPECT_EQ(code, 503);
  EXPECT_EQ(Json::parse(body)["status"], "wedged");
}

TEST_F(HealthServerTest, HasNothingElse) {
  for (const auto* path : {"/", "/metrics/", "/healthz/", "/../etc/passwd"}) {
    const auto [code, body] = get(path);
    EXPECT_EQ(code, 404) << path;
    EXPECT_TRUE(Json::parse(body).contains("error")) << path;
  }
  httplib::Client client("127.0.0.1", server_->port());
  const auto answer = client.Post("/healthz", "x", "text/plain");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 404);
}

TEST_F(HealthServerTest, AnswersWhileOthersHoldConnectionsWithoutAWord) {
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(connect_to(server_->port()));
  EXPECT_EQ(get("/healthz").first, 200);
}

// --- metrics ---

TEST_F(HealthServerTest, HasNoMetricsBeforeThereIsAnythingToTell) {
  EXPECT_EQ(get("/metrics").first, 503);
}

TEST_F(HealthServerTest, AnswersScrapesInPrometheusFormat) {
  server_->follow_metrics([](ScrapeFormat) { return "orb8_build_info 1\n"; });
  httplib::Client client("127.0.0.1", server_->port());
  const auto plain = client.Get("/metrics", httplib::Headers{{"Accept-Encoding", "identity"}});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->status, 200);
  EXPECT_EQ(plain->body, "orb8_build_info 1\n");
  EXPECT_EQ(plain->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_FALSE(plain->has_header("Content-Encoding"));
}

TEST_F(HealthServerTest, AnswersScrapesInTheFormatThatIsWanted) {
  server_->follow_metrics(
      [](ScrapeFormat format) { return format == ScrapeFormat::kOpenMetrics ? "# EOF\n" : ""; });
  httplib::Client client("127.0.0.1", server_->port());
  const auto open = client.Get(
      "/metrics", httplib::Headers{{"Accept", "application/openmetrics-text,text/plain;q=0.5"}});
  ASSERT_TRUE(open);
  EXPECT_EQ(open->body, "# EOF\n");
  EXPECT_EQ(open->get_header_value("Content-Type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST_F(HealthServerTest, CompressesForWhoTakesIt) {
  std::string text(1'000'000, 'x');
  server_->follow_metrics([&](ScrapeFormat) { return text; });
  httplib::Client client("127.0.0.1", server_->port());
  const auto answer = client.Get("/metrics", httplib::Headers{{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(answer->body, text);
}

// Asks for metrics and never reads them.
UniqueFd hung_scrape(std::uint16_t port) {
  auto socket = connect_to(port);
  const std::string_view request = "GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n";
  EXPECT_EQ(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  return socket;
}

TEST_F(HealthServerTest, IsAliveWhileScrapersHangInCrowds) {
  std::string more_than_sockets_hold(64U << 20U, 'x');
  std::atomic<int> begun = 0;
  server_->follow_metrics([&](ScrapeFormat) {
    ++begun;
    return more_than_sockets_hold;
  });
  std::vector<UniqueFd> hung;
  for (int i = 0; i < 20; ++i) hung.push_back(hung_scrape(server_->port()));
  ASSERT_TRUE(eventually([&] { return begun == 2; }));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get("/livez").first, 200);
  EXPECT_EQ(get("/readyz").first, 503);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
  EXPECT_LE(begun, 2) << "no more than two at once";
  // Those are given up, and others get their turn.
  server_->follow_metrics([](ScrapeFormat) { return "up 1\n"; });
  EXPECT_TRUE(eventually([&] { return get("/metrics").first == 200; }));
}

TEST_F(HealthServerTest, IsAliveWhileTheMetricsTakeTheirTime) {
  std::promise<void> go_on;
  const auto may_go_on = go_on.get_future().share();
  std::atomic<int> begun = 0;
  server_->follow_metrics([&](ScrapeFormat) {
    ++begun;
    may_go_on.wait();
    return "up 1\n";
  });
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(hung_scrape(server_->port()));
  ASSERT_TRUE(eventually([&] { return begun == 2; }));
  EXPECT_EQ(get("/livez").first, 200);
  EXPECT_EQ(get("/metrics").first, 503);
  go_on.set_value();
  server_.reset();  // before what it was told to ask
}

TEST_F(HealthServerTest, EndsThoughConnectionsAreOpen) {
  const auto silent = connect_to(server_->port());
  const auto half = connect_to(server_->port());
  ASSERT_GT(::send(half.get(), "GET /hea", 8, MSG_NOSIGNAL), 0);
  const auto start = std::chrono::steady_clock::now();
  server_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(HealthServerTest, DoesNotShareItsPort) {
  const auto second = HealthServer::start({"127.0.0.1", server_->port()});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("the port is taken"));
}

}  // namespace
}  // namespace orb8
