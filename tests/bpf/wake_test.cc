// When the reader of a ring is woken: soon enough to lose nothing, seldom enough to cost nothing.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <sys/epoll.h>

#include "core/base/unique_fd.h"
#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr int kSoonMs = 5000;  // an upper bound: a wake-up that is due comes at once
constexpr std::uint32_t kRecordBytes = sizeof(orb8_packet_v4) + BPF_RINGBUF_HDR_SZ;

class Wake : public ProbeRun {
 protected:
  void SetUp() override {
    ProbeRun::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    set_filters({orb8_packet_filter{}});
    const int ring = bpf_map__fd(skeleton()->maps.orb8_packets);
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.fd = ring}};
    ASSERT_EQ(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, ring, &event), 0);
  }

  bool woken(int timeout_ms = 0) const {
    epoll_event event = {};
    return ::epoll_wait(epoll_.get(), &event, 1, timeout_ms) == 1;
  }
  std::uint32_t ring_bytes() const { return bpf_map__max_entries(skeleton()->maps.orb8_packets); }

 private:
  UniqueFd epoll_;
};

TEST_F(Wake, ComesWithTheFirstEventAndNotWithTheNext) {
  EXPECT_FALSE(woken());
  run(udp4());
  EXPECT_TRUE(woken(kSoonMs));
  run(udp4(), {.repeat = 100});
  EXPECT_FALSE(woken());
}

TEST_F(Wake, ComesAgainOnceTheRingWasEmptied) {
  for (int i = 0; i < 3; ++i) {
    run(udp4());
    EXPECT_TRUE(woken(kSoonMs));
    EXPECT_EQ(drain(skeleton()->maps.orb8_packets).size(), 1U);
  }
}

TEST_F(Wake, ComesOnceForEachEighthOfTheRing) {
  run(udp4());
  EXPECT_TRUE(woken(kSoonMs));
  std::uint32_t sent = 1;
  for (std::uint32_t eighth = 1; eighth < 8; ++eighth) {
    // The records that end before this eighth's end; the one that reaches it wakes.
    const auto fits = (eighth * (ring_bytes() / 8) - 1) / kRecordBytes;
    run(udp4(), {.repeat = fits - sent});
    EXPECT_FALSE(woken()) << eighth;
    run(udp4());
    EXPECT_TRUE(woken(kSoonMs)) << eighth;
    sent = fits + 1;
  }
  run(udp4(), {.repeat = 10'000});
  EXPECT_FALSE(woken()) << "a full ring takes nothing in, and wakes nobody";
}

TEST_F(Wake, ComesForASpilledFlow) {
  const int ring = bpf_map__fd(skeleton()->maps.orb8_spill);
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.fd = ring}};
  ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ring, &event), 0);
  auto count = bpf_map__max_entries(skeleton()->maps.orb8_flows_v4);
  std::vector<orb8_v4_key> keys(count);
  const std::vector<orb8_flow_stats> values(count);
  for (std::uint32_t i = 0; i < count; ++i) keys[i].daddr_be = i;
  const int flows = bpf_map__fd(skeleton()->maps.orb8_flows_v4);
  ASSERT_EQ(bpf_map_update_batch(flows, keys.data(), values.data(), &count, nullptr), 0);
  run(udp4());
  EXPECT_EQ(::epoll_wait(epoll.get(), &event, 1, kSoonMs), 1);
}

}  // namespace
}  // namespace orb8
