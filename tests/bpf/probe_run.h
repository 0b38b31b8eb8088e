// The real network programs in the running kernel, one packet at a time (BPF_PROG_TEST_RUN).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/network.h"
#include "core/kernel/network_probes.h"
#include "core/model/flow.h"
#include "network.skel.h"
#include "tests/packets/packet.h"

namespace orb8 {

constexpr int kTcActUnspec = -1;
constexpr std::uint32_t kLoopback = 1;  // the ifindex that a test run has unless told otherwise

struct RunOptions {
  Direction direction = Direction::kIngress;
  // kNone: what the packet begins with is IP, and its EtherType its 13th and 14th byte.
  LinkLayer layer = LinkLayer::kEthernet;
  std::uint32_t ifindex = 0;  // 0: loopback
  std::uint32_t gso_size = 0;
  std::uint32_t gso_segs = 0;
  std::uint32_t wire_len = 0;
  std::uint32_t repeat = 1;
};

// Runs a probe on a packet. Whatever comes, an observer says "next program, please" and lets the
// packet out as it came in.
void run_program(int program_fd, const Packet& packet, const RunOptions& options);

class ProbeRun : public ::testing::Test {
 protected:
  // Probes as fresh as just loaded, loopback's hooks live: all tests share one load, which takes
  // the verifier most of a second. Skips with a word where BPF is not allowed, and fails instead
  // where ORB8_REQUIRE_BPF is set.
  void SetUp() override;

  void run(const Packet& packet, const RunOptions& options = {}) const;

  bool has_flow(const FlowKey& key) const;
  // All zero where there is no such flow: it has counted nothing.
  orb8_flow_stats flow(const FlowKey& key) const;
  void forget(const FlowKey& key) const;
  void forget_fragments() const;
  std::size_t flow_count() const;
  orb8_tally tally(orb8_fate fate) const;
  std::uint64_t tallied() const;  // packets over all fates
  orb8_tallies tallies() const;
  std::vector<std::vector<std::uint8_t>> drain(bpf_map* ring) const;
  void set_live(std::uint32_t ifindex, Direction direction, bool live) const;
  void set_filters(const std::vector<orb8_packet_filter>& filters) const;

  network_bpf* skeleton() const { return skeleton_; }

 private:
  struct Destroy {
    void operator()(network_bpf* skeleton) const { network_bpf::destroy(skeleton); }
  };
  using Skeleton = std::unique_ptr<network_bpf, Destroy>;

  // Null, with errno set: the kernel refused.
  static Skeleton open_and_load();
  void empty_maps() const;
  int look_up(const FlowKey& key, orb8_flow_stats& stats) const;
  bpf_program* program(const RunOptions& options) const;

  network_bpf* skeleton_ = nullptr;  // shared by all tests
};

// 10.0.0.1:sport -> 10.0.0.2:dport, ingress.
FlowKey v4_flow(std::uint8_t protocol, std::uint16_t sport = 0, std::uint16_t dport = 0);
// fd00::1 -> fd00::2
FlowKey v6_flow(std::uint8_t protocol, std::uint16_t sport = 0, std::uint16_t dport = 0);

Packet udp4(std::size_t payload = 100);
Packet tcp4(std::uint8_t flags, std::size_t payload = 0);

}  // namespace orb8
