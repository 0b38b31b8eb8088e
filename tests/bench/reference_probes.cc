// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/reference_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <numeric>
#include <vector>

#include "core/kernel/libbpf_log.h"
#include "reference.skel.h"

namespace orb8::bench {

void ReferenceProbes::Destroy::operator()(reference_bpf* skeleton) const {
  reference_bpf::destroy(skeleton);
}

Result<ReferenceProbes> ReferenceProbes::load(std::uint32_t ring_bytes) {
  const LibbpfLog log;
  Skeleton skeleton(reference_bpf::open());
  if (!skeleton) return sys_error(errno, "open the reference programs");
  bpf_map__set_max_entries(skeleton->maps.ring, ring_bytes);
  if (const int err = reference_bpf::load(skeleton.get()); err != 0) {
    auto error = sys_error(-err, "load the reference programs");
    error.error().what += " (" + log.tail() + ")";
    return error;
  }
  return ReferenceProbes(std::move(skeleton));
}

int ReferenceProbes::empty_fd() const {
  return bpf_program__fd(skeleton_->progs.empty);
}
int ReferenceProbes::empty_skb_fd() const {
  return bpf_program__fd(skeleton_->progs.empty_skb);
}
int ReferenceProbes::has_socket_fd() const {
  return bpf_program__fd(skeleton_->progs.has_socket);
}
int ReferenceProbes::ring_per_packet_fd() const {
  return bpf_program__fd(skeleton_->progs.ring_per_packet);
}
int ReferenceProbes::ring_fd() const {
  return bpf_map__fd(skeleton_->maps.ring);
}

Result<std::uint64_t> ReferenceProbes::events_lost() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return sys_error(-cpus, "count the CPUs");
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(cpus));
  const std::uint32_t zero = 0;
  const int fd = bpf_map__fd(skeleton_->maps.ring_lost);
  if (const int err = bpf_map_lookup_elem(fd, &zero, per_cpu.data()); err != 0) {
    return sys_error(-err, "read the reference program's losses");
  }
  return std::accumulate(per_cpu.begin(), per_cpu.end(), std::uint64_t{0});
}

}  // namespace orb8::bench
