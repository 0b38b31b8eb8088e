// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/flow_traffic.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/frames.h"
#include "tests/bench/udp_flood.h"

namespace orb8::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Mac kNobody = {0x02, 0x77, 0, 0, 0, 3};
constexpr std::uint32_t kFirstIp = 0x0a800000;  // 10.128.0.0
constexpr std::uint16_t kFirstPort = 30'000;
constexpr std::uint16_t kPort = 9;
constexpr std::size_t kFrameBytes = 64;
constexpr std::uint32_t kTicksPerSecond = 100;
constexpr std::uint32_t kStride = 7919;  // a prime, so coprime to any count that it does not divide

UdpEnds ends(std::uint32_t flow) {
  if (flow < UdpFlood::kFlows) return UdpFlood::ends(flow);
  return {.src_ip = kFirstIp + flow,
          .dst_ip = NetworkPair::kWatchedIp,
          .src_port = static_cast<std::uint16_t>(kFirstPort + flow % 10'000),
          .dst_port = kPort};
}

class Traffic final : public FlowTraffic {
 public:
  Traffic(std::uint32_t flows, std::uint32_t packets_per_second)
      : flows_(flows), batch_(packets_per_second / kTicksPerSecond) {}

  Result<void> open(const NetworkPair& pair) {
    return pair.at_sender([this]() -> Result<void> {
      socket_ = UniqueFd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
      sockaddr_ll at = {};
      at.sll_family = AF_PACKET;
      at.sll_ifindex = static_cast<int>(::if_nametoindex(NetworkPair::kSender));
      if (!socket_ ||
          ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
        return sys_error(errno, "open a packet socket");
      }
      return {};
    });
  }

  void run() {
    thread_ = std::jthread([this](const std::stop_token& stop) { send(stop); });
  }

  Result<void> check() const override {
    if (const int err = error_.load(); err != 0) return sys_error(err, "send a frame");
    return {};
  }

 private:
  // Late ticks are made up for: the number of packets is right over any longer time.
  void send(const std::stop_token& stop) {
    auto next = Clock::now();
    std::uint64_t at = 0;
    while (!stop.stop_requested()) {
      for (std::uint32_t i = 0; i < batch_; ++i) {
        if (!send_one(next_flow(at++))) return;
      }
      next += std::chrono::microseconds(1'000'000 / kTicksPerSecond);
      std::this_thread::sleep_until(next);
    }
  }

  // Scattered, as real flows are: neighbours in the flow table do not move together.
  std::uint32_t next_flow(std::uint64_t at) const {
    return static_cast<std::uint32_t>(at * kStride % flows_);
  }

  bool send_one(std::uint32_t flow) {
    const auto frame = udp_v4_frame(NetworkPair::kSenderMac, kNobody, ends(flow), kFrameBytes);
    if (::send(socket_.get(), frame.data(), frame.size(), 0) >= 0) return true;
    error_ = errno;
    return false;
  }

  std::uint32_t flows_;
  std::uint32_t batch_;
  UniqueFd socket_;
  std::atomic<int> error_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace

Result<std::unique_ptr<FlowTraffic>> FlowTraffic::start(const NetworkPair& pair,
                                                        std::uint32_t flows,
                                                        std::uint32_t packets_per_second) {
  if (std::gcd(flows, kStride) != 1) return fail(Errc::kInvalid, "flows in a multiple of 7919");
  auto traffic = std::make_unique<Traffic>(flows, packets_per_second);
  if (auto ok = traffic->open(pair); !ok) return std::unexpected(ok.error());
  traffic->run();
  return traffic;
}

}  // namespace orb8::bench
