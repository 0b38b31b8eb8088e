// The kernel's counters of UDP peers as user space reads and takes them.
// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/peer_map.h"

#include <bpf/bpf.h>

#include <cstdint>
#include <map>

#include "core/base/unique_fd.h"
#include "tests/bpf/probe_run.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kRoom = 4'000;

class PeerMapTest : public ProbeRun {
 protected:
  void SetUp() override {
    ProbeRun::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    map_ = UniqueFd(bpf_map_create(BPF_MAP_TYPE_HASH, "orb8_peers", sizeof(orb8_peer_key),
                                   sizeof(orb8_peer), kRoom, &options));
    ASSERT_TRUE(map_);
  }

  static orb8_peer_key key_of(std::uint16_t port) {
    orb8_peer_key key = {.cookie = 7};
    key.tuple.lport = 53;
    key.tuple.rport = port;
    key.tuple.proto = 17;
    return key;
  }
  // Told apart by their port, which their packets repeat.
  void add(std::uint16_t port) const {
    const auto key = key_of(port);
    orb8_peer peer = {};
    peer.received.packets = port;
    ASSERT_EQ(bpf_map_update_elem(map_.get(), &key, &peer, BPF_ANY), 0);
  }
  std::map<std::uint16_t, int> read_all(PeerMap& peers) const {
    std::map<std::uint16_t, int> times;
    const auto ok = peers.for_each([&](const orb8_peer_key& key, const orb8_peer& peer) {
      EXPECT_EQ(peer.received.packets, key.tuple.rport);
      ++times[key.tuple.rport];
    });
    EXPECT_TRUE(ok) << ok.error().what;
    return times;
  }
  int fd() const { return map_.get(); }

 private:
  UniqueFd map_;
};

TEST_F(PeerMapTest, ReadsNothingFromAnEmptyMap) {
  PeerMap peers(fd());
  EXPECT_TRUE(read_all(peers).empty());
}

TEST_F(PeerMapTest, ReadsEachEntryOnceThoughTheyTakeSeveralBatches) {
  constexpr std::uint16_t kEntries = 3'000;
  for (std::uint16_t port = 1; port <= kEntries; ++port) add(port);
  PeerMap peers(fd());
  const auto times = read_all(peers);
  EXPECT_EQ(times.size(), kEntries);
  for (const auto& [port, count] : times) EXPECT_EQ(count, 1) << port;
  EXPECT_EQ(read_all(peers).size(), kEntries) << "and once more";
}

TEST_F(PeerMapTest, TakesAnEntryOutWithItsLastState) {
  add(1000);
  add(1001);
  PeerMap peers(fd());
  orb8_peer peer = {};
  ASSERT_TRUE(peers.take(key_of(1000), peer));
  EXPECT_EQ(peer.received.packets, 1000U);
  EXPECT_FALSE(peers.take(key_of(1000), peer)) << "it is gone";
  EXPECT_EQ(read_all(peers), (std::map<std::uint16_t, int>{{1001, 1}}));
}

TEST_F(PeerMapTest, SaysWhatItCouldNotRead) {
  PeerMap peers(-1);
  const auto ok = peers.for_each([](const orb8_peer_key&, const orb8_peer&) {});
  ASSERT_FALSE(ok);
  EXPECT_EQ(ok.error().what, "read the map of UDP peers: Bad file descriptor");
}

}  // namespace
}  // namespace orb8
