// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/peer_map.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdint>

namespace orb8 {
namespace {

constexpr std::uint32_t kBatch = 1024;    // more than any hash bucket will hold
constexpr int kKernelNotSupported = 524;  // ENOTSUPP, which the kernel leaks and errno.h lacks

}  // namespace

Result<void> PeerMap::for_each(const VisitFn& visit) {
  keys_.resize(kBatch);
  peers_.resize(kBatch);
  std::uint32_t bucket = 0;  // the kernel's place in the map
  std::uint64_t entries = 0;
  for (bool first = true;; first = false) {
    std::uint32_t count = kBatch;
    const int err = bpf_map_lookup_batch(fd_, first ? nullptr : &bucket, &bucket, keys_.data(),
                                         peers_.data(), &count, nullptr);
    if (err != 0 && err != -ENOENT) return sys_error(-err, "read the map of UDP peers");
    for (std::uint32_t i = 0; i < count; ++i) visit(keys_[i], peers_[i]);
    entries += count;
    if (err != -ENOENT) continue;
    entries_ = entries;
    return {};  // that was the last batch
  }
}

bool PeerMap::take(const orb8_peer_key& key, orb8_peer& peer) {
  if (take_in_one_call_) {
    const int err = bpf_map_lookup_and_delete_elem(fd_, &key, &peer);
    if (err == 0) return true;
    if (err != -EINVAL && err != -EOPNOTSUPP && err != -kKernelNotSupported) return false;
    take_in_one_call_ = false;
  }
  if (bpf_map_lookup_elem(fd_, &key, &peer) != 0) return false;
  bpf_map_delete_elem(fd_, &key);
  return true;
}

}  // namespace orb8
