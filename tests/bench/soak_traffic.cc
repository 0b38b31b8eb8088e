// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/soak_traffic.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "tests/bench/loopback.h"

namespace orb8::bench {
namespace {

using std::chrono::milliseconds;

constexpr auto kTick = milliseconds(100);
constexpr std::uint64_t kConnectionsPerTick = 170;  // not a time: their pace is no growth
constexpr std::uint32_t kFirstPeer = 0x7f010001;    // 127.1.0.1: all of 127/8 is this machine
constexpr std::uint64_t kPeers = 5'000;             // talked to in turns, ten seconds a round
constexpr std::uint64_t kPeersPerTick = 50;
constexpr std::uint64_t kAllPeers = 60'000;  // then the first ones come back
constexpr int kSocketsPerTick = 20;          // that send once

Result<void> send_to(int fd, std::uint32_t ip) {
  const auto to = socket_address(ip, SoakTraffic::kPort);
  const char byte = 'x';
  if (::sendto(fd, &byte, 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 1) {
    return sys_error(errno, "send a datagram");
  }
  return {};
}

UniqueFd udp_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

}  // namespace

Result<std::unique_ptr<SoakTraffic>> SoakTraffic::start() {
  auto churn = Churn::open();
  if (!churn) return std::unexpected(churn.error());
  std::unique_ptr<SoakTraffic> traffic(new SoakTraffic(std::move(*churn)));
  if (auto ok = traffic->open(); !ok) return std::unexpected(ok.error());
  auto* self = traffic.get();
  self->thread_ = std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  return traffic;
}

Result<void> SoakTraffic::open() {
  sink_ = udp_socket();
  sender_ = udp_socket();
  const auto any = socket_address(INADDR_ANY, kPort);
  if (!sink_ || !sender_ ||
      ::bind(sink_.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0) {
    return sys_error(errno, "open the sockets of the soak");
  }
  return {};
}

void SoakTraffic::run(const std::stop_token& stop) {
  auto next = std::chrono::steady_clock::now();
  for (std::uint64_t tick = 0; !stop.stop_requested(); ++tick) {
    auto ok = churn_a_little();
    if (ok) ok = talk_to_peers(tick);
    if (!ok) {
      const std::lock_guard lock(mutex_);
      result_ = std::move(ok);
      return;
    }
    next += kTick;
    std::this_thread::sleep_until(next);
  }
}

Result<void> SoakTraffic::churn_a_little() {
  if (auto ok = churn_.run(kConnectionsPerTick); !ok) return ok;
  connections_ += kConnectionsPerTick;
  return {};
}

Result<void> SoakTraffic::talk_to_peers(std::uint64_t tick) {
  for (std::uint64_t i = 0; i < kPeersPerTick; ++i) {
    // With each tick the oldest peer goes silent, and a new one comes.
    const std::uint64_t peer = tick + (tick * kPeersPerTick + i) % kPeers;
    const auto ip = kFirstPeer + static_cast<std::uint32_t>(peer % kAllPeers);
    if (auto ok = send_to(sender_.get(), ip); !ok) return ok;
    ++datagrams_;
  }
  for (int i = 0; i < kSocketsPerTick; ++i) {
    const auto once = udp_socket();
    if (!once) return sys_error(errno, "open a socket that sends once");
    if (auto ok = send_to(once.get(), INADDR_LOOPBACK); !ok) return ok;
    ++datagrams_;
  }
  return {};
}

void SoakTraffic::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<void> SoakTraffic::check() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

}  // namespace orb8::bench
