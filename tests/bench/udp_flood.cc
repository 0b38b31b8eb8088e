// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/udp_flood.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/loopback.h"

namespace orb8::bench {
namespace {

constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kSinkPort = 9;  // discard
constexpr std::size_t kBatch = 64;
constexpr std::size_t kSmallPayload = 64;
constexpr std::size_t kSegmentPayload = UdpFlood::kSegmentFrameBytes - 14 - 20 - 8;

Result<UniqueFd> open_socket(const UdpEnds& ends) {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto from = socket_address(ends.src_ip, ends.src_port);
  const auto to = socket_address(ends.dst_ip, ends.dst_port);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
    return sys_error(errno, "open a socket of the flood, port " + std::to_string(ends.src_port));
  }
  return fd;
}

// Hands the kernel one batch. What it did not take is not counted.
std::size_t send_batch(int fd, std::span<mmsghdr> batch) {
  const int sent = ::sendmmsg(fd, batch.data(), static_cast<unsigned>(batch.size()), 0);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

class Flood final : public UdpFlood {
 public:
  explicit Flood(unsigned segments)
      : segments_(segments),
        payload_(segments > 1 ? segments * kSegmentPayload : kSmallPayload, '\0') {}

  Result<void> open(const NetworkPair& pair) {
    return pair.at_sender([this]() -> Result<void> {
      for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
        auto fd = open_socket(ends(flow));
        if (!fd) return std::unexpected(fd.error());
        const int size = kSegmentPayload;
        if (segments_ > 1 &&
            ::setsockopt(fd->get(), SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) != 0) {
          return sys_error(errno, "set UDP_SEGMENT");
        }
        sockets_.push_back(std::move(*fd));
      }
      return {};
    });
  }

  void run() {
    const std::size_t threads = std::clamp(std::thread::hardware_concurrency(), 1U, kFlows);
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.emplace_back(
          [this, i, threads](const std::stop_token& stop) { send(stop, i, threads); });
    }
  }

  std::uint64_t stop() override {
    threads_.clear();
    return sent_.load() * segments_;
  }

 private:
  void send(const std::stop_token& stop, std::size_t first, std::size_t step) {
    iovec piece = {.iov_base = payload_.data(), .iov_len = payload_.size()};
    std::array<mmsghdr, kBatch> batch = {};
    for (auto& message : batch) {
      message.msg_hdr.msg_iov = &piece;
      message.msg_hdr.msg_iovlen = 1;
    }
    std::uint64_t sent = 0;
    while (!stop.stop_requested()) {
      for (std::size_t i = first; i < sockets_.size(); i += step) {
        sent += send_batch(sockets_[i].get(), batch);
      }
    }
    sent_ += sent;
  }

  unsigned segments_;
  std::string payload_;
  std::vector<UniqueFd> sockets_;
  std::atomic<std::uint64_t> sent_ = 0;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace

UdpEnds UdpFlood::ends(std::uint32_t flow) {
  return {.src_ip = NetworkPair::kSenderIp,
          .dst_ip = NetworkPair::kWatchedIp,
          .src_port = static_cast<std::uint16_t>(kFirstPort + flow),
          .dst_port = kSinkPort};
}

Result<std::unique_ptr<UdpFlood>> UdpFlood::start(const NetworkPair& pair, unsigned segments) {
  auto flood = std::make_unique<Flood>(segments);
  if (auto ok = flood->open(pair); !ok) return std::unexpected(ok.error());
  flood->run();
  return flood;
}

Result<UniqueFd> open_sink() {
  UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto at = socket_address(NetworkPair::kWatchedIp, kSinkPort);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof(at)) != 0) {
    return sys_error(errno, "open the socket that the flood ends at");
  }
  return fd;
}

}  // namespace orb8::bench
