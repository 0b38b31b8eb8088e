// What a real Prometheus makes of a real agent, beside what was sent.
// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/prometheus.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/prctl.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "tests/integration/loopback_tcp.h"
#include "tests/integration/process.h"
#include "tests/integration/process_fixture.h"
#include "tests/need.h"
#include "tests/netns/child.h"

namespace orb8::integration {
namespace {

constexpr auto kListening = "gRPC server listening on ";
constexpr std::uint16_t kHealthPort = 9091;
// Ethernet, IPv4 and UDP: what a datagram has on the wire before its payload.
constexpr std::size_t kUdpHeaders = 14 + 20 + 8;
// A process of that name makes the traffic: this one's queries are not to be counted with it.
constexpr auto kName = "traffic-maker";

void by_traffic_maker(const std::function<void()>& make) {
  const netns::Child maker([&] {
    ::prctl(PR_SET_NAME, kName);
    make();
  });
}

void send_datagrams(std::size_t count, std::size_t payload) {
  by_traffic_maker([&] { LoopbackUdp().send(count, payload); });
}

class PrometheusTest : public ProcessTest {
 protected:
  void SetUp() override {
    ORB8_NEED(Prometheus::is_installed(), "prometheus and promtool are not installed");
    ProcessTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    agent_.emplace("orb8-agent",
                   Command{.arguments = {"--flow-source", "socket", "--kube", "off"}});
    ASSERT_TRUE(agent_->says(kListening)) << agent_->err();
  }

  static std::string target() { return "127.0.0.1:" + std::to_string(kHealthPort); }

  // A metric of the traffic that is made.
  static std::string mine(const std::string& metric, const std::string& more) {
    return fmt::format("{}{{workload=\"{}\",{}}}", metric, kName, more);
  }

  std::optional<Process> agent_;
};

TEST_F(PrometheusTest, CountsExactlyTheBytesThatWereSentInAWindow) {
  const Prometheus prometheus({target()});
  const auto sent = R"(direction="egress",protocol="UDP")";
  const auto received = R"(direction="ingress",protocol="UDP")";
  const auto bytes = mine("orb8_network_bytes_total", sent);
  const auto packets = mine("orb8_network_packets_total", sent);
  // The series must have been there before the window: the first value of one is no increase.
  send_datagrams(1, 58);
  ASSERT_TRUE(prometheus.comes_to(bytes, 58 + kUdpHeaders));
  send_datagrams(1000, 100);
  send_datagrams(10, 1000);
  constexpr double kMoved = 1000 * (100 + kUdpHeaders) + 10 * (1000 + kUdpHeaders);
  const auto window = [](const std::string& of) {
    return fmt::format("max_over_time({0}[10m]) - min_over_time({0}[10m])", of);
  };
  EXPECT_TRUE(prometheus.comes_to(window(bytes), kMoved)) << prometheus.sum(window(bytes));
  EXPECT_TRUE(prometheus.comes_to(window(packets), 1010)) << prometheus.sum(window(packets));
  EXPECT_TRUE(prometheus.comes_to(window(mine("orb8_network_bytes_total", received)), kMoved));
  EXPECT_EQ(prometheus.sum("resets(orb8_network_bytes_total[10m])"), 0);
  EXPECT_GT(prometheus.sum("increase(" + bytes + "[1m])"), 0);
}

TEST_F(PrometheusTest, CountsExactlyTheConnectionsByHowTheyEnded) {
  const Prometheus prometheus({target()});
  by_traffic_maker([] {
    LoopbackTcp tcp;
    for (int i = 0; i < 7; ++i) tcp.converse(10'000);
    for (int i = 0; i < 3; ++i) tcp.reset();
    tcp.close();
    for (int i = 0; i < 5; ++i) tcp.be_refused();
  });
  const auto count = [&](const std::string& direction, const std::string& outcome) {
    return "sum(" +
           mine("orb8_network_connections_total",
                fmt::format(R"(direction="{}",outcome="{}")", direction, outcome)) +
           ")";
  };
  // Seen from those who opened them, and broke off three of them; and from those who took them.
  EXPECT_TRUE(prometheus.comes_to(count("egress", "established"), 10));
  EXPECT_TRUE(prometheus.comes_to(count("egress", "failed"), 5));
  EXPECT_TRUE(prometheus.comes_to(count("ingress", "established"), 7));
  EXPECT_TRUE(prometheus.comes_to(count("ingress", "reset"), 3));
  EXPECT_EQ(prometheus.sum(count("egress", "reset")), 0);
  EXPECT_EQ(prometheus.sum(count("ingress", "failed")), 0);
  EXPECT_GE(prometheus.sum("sum(" + mine("orb8_tcp_rtt_seconds_count", R"(protocol="TCP")") + ")"),
            10);
  EXPECT_EQ(prometheus.sum(mine("orb8_tcp_retransmits_total", R"(protocol="TCP")")), 0);
}

TEST_F(PrometheusTest, TakesNoProcessForTheAgentsPod) {
  const Prometheus prometheus({target()});
  by_traffic_maker([] { LoopbackTcp().converse(10'000); });
  // `pod` is none of the labels that were chosen, and not to be filled in either.
  const auto in_no_pod = mine("orb8_network_connections_total", R"(namespace="",pod="")");
  EXPECT_TRUE(prometheus.comes_to("sum(" + in_no_pod + ")", 2));
  EXPECT_EQ(prometheus.sum(R"(count({__name__=~"orb8_.+",direction!="",pod!=""}))"), 0);
  EXPECT_EQ(prometheus.sum(R"(count({__name__=~"orb8_.+",direction!="",namespace!=""}))"), 0);
  // What is told of the agent itself is its pod's.
  EXPECT_EQ(prometheus.sum(R"(orb8_build_info{namespace="orb8-system",pod!=""})"), 1);
}

TEST_F(PrometheusTest, KnowsHowTheAgentIs) {
  const Prometheus prometheus({target()});
  EXPECT_TRUE(prometheus.comes_to("up", 1));
  EXPECT_TRUE(prometheus.comes_to("orb8_build_info", 1));
  EXPECT_TRUE(prometheus.comes_to(R"(orb8_flow_source_info{source="socket"})", 1));
  EXPECT_TRUE(prometheus.comes_to("min(orb8_component_healthy)", 1));
  EXPECT_GT(prometheus.sum("sum(orb8_active_flows)"), 0) << "the scrapes are flows themselves";
  EXPECT_GT(prometheus.sum(R"(orb8_kernel_map_max_entries{map="orb8_peers"})"), 0);
  EXPECT_GT(prometheus.sum("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(prometheus.sum("sum(orb8_kernel_ring_size_bytes)"), 0);
}

// What is asked for first is OpenMetrics: a page without its end, or with a family named like its
// samples, is refused as a whole.
TEST_F(PrometheusTest, ReadsOpenMetrics) {
  const Prometheus prometheus({target()});
  ASSERT_TRUE(prometheus.comes_to("up", 1));
  by_traffic_maker([] { LoopbackTcp().converse(10'000); });
  EXPECT_TRUE(prometheus.comes_to("sum(" + mine("orb8_network_connections_total", "") + ")", 2));
  // In the text format it would be le="1".
  EXPECT_GT(prometheus.sum(R"(count(orb8_tcp_rtt_seconds_bucket{le="1.0"}))"), 0);
  EXPECT_EQ(prometheus.sum(R"(count(orb8_tcp_rtt_seconds_bucket{le="1"}))"), 0);
}

TEST_F(PrometheusTest, SatisfiesPromtool) {
  LoopbackTcp tcp;
  tcp.converse(100);
  httplib::Client client("127.0.0.1", kHealthPort);
  const TempFolder folder;
  const auto has_connections = [&] {
    const auto page = client.Get("/metrics");
    if (!page || page->status != 200) return false;
    EXPECT_EQ(page->get_header_value("Content-Type").find("text/plain; version=0.0.4"), 0U);
    std::ofstream(folder / "page.txt") << page->body;
    return page->body.find("\norb8_tcp_rtt_seconds_bucket{") != std::string::npos &&
           page->body.find("\norb8_network_connections_total{") != std::string::npos;
  };
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!has_connections()) ASSERT_LT(std::chrono::steady_clock::now(), end);
  Process promtool("/bin/sh",
                   {.arguments = {"-c", "exec \"$0\" check metrics < \"$1\"",
                                  Prometheus::program("promtool"), folder / "page.txt"}});
  EXPECT_EQ(promtool.exit_status(), 0);
  EXPECT_EQ(promtool.out() + promtool.err(), "");
}

}  // namespace
}  // namespace orb8::integration
