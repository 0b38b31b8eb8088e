// A load generator's own report against what the sockets say.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <future>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/netns/socket_watcher.h"

namespace orb8::netns {
namespace {

constexpr std::uint16_t kIperfPort = 5201;

// Once the server listens.
std::string run_client(const NetNs& ns) {
  std::string report;
  EXPECT_TRUE(eventually([&] {
    report = ns.sh(
        "iperf3 --client 10.88.0.2 --time 3 --bitrate 20M --length 16000 --cport 5000 --json || "
        "true");
    return !nlohmann::json::parse(report).contains("error");
  })) << report;
  return report;
}

TEST_F(SocketSourceTest, AgreesWithWhatIperf3ReportsOfItsBytesAndRetransmits) {
  const TwoHosts net;
  net.up();
  // A queue that drops some of each burst, so that there is something to send again.
  net.a.ns.sh("tc qdisc add dev eth0 root tbf rate 200mbit burst 4k limit 6k");
  SocketWatcher watcher;
  auto serve =
      std::async(std::launch::async, [&] { return net.b.ns.sh("iperf3 --server --one-off"); });
  auto client = std::async(std::launch::async, [&] { return run_client(net.a.ns); });
  // The second connection to the port: the first is iperf3's own talk about the test.
  const Ends ends{net.a.v4(), 5000, net.b.v4(), kIperfPort};
  const auto has_retransmits = [&](const Flow& flow) {
    return flow.key.src == ends.src && flow.key.src_port == ends.src_port &&
           flow.socket.retransmits > 0;
  };
  EXPECT_TRUE(eventually([&] {
    watcher.read();
    return !watcher.flows(has_retransmits).empty();
  }));
  // From here on nothing is lost: iperf3 reads its counters before the last bytes are through.
  net.a.ns.sh("tc qdisc del dev eth0 root");
  const auto report = client.get();
  serve.get();  // throws what it printed if it failed

  const auto sum = nlohmann::json::parse(report).at("end").at("sum_sent");
  const auto sent = watcher.flow(net.a.ns, ends, kTcp, Direction::kEgress,
                                 [](const Flow& flow) { return flow.life == FlowLife::kClosed; });
  EXPECT_EQ(sent.socket.retransmits, sum.at("retransmits").get<std::uint32_t>());
  EXPECT_GT(sent.socket.retransmits, 0U);
  // A cookie of 37 bytes names the test on each of its connections (iperf3's protocol).
  EXPECT_EQ(sent.payload_bytes, sum.at("bytes").get<std::uint64_t>() + 37);
}

}  // namespace
}  // namespace orb8::netns
