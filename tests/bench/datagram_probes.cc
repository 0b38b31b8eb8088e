// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/datagram_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "common/socket.h"
#include "core/kernel/libbpf_log.h"
#include "socket.skel.h"

namespace orb8::bench {

void DatagramProbes::Destroy::operator()(socket_bpf* skeleton) const {
  socket_bpf::destroy(skeleton);
}

Result<DatagramProbes> DatagramProbes::load() {
  const LibbpfLog log;
  Skeleton skeleton(socket_bpf::open());
  if (!skeleton) return sys_error(errno, "open the socket probe");
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const bool wanted =
        program == skeleton->progs.orb8_skb_in || program == skeleton->progs.orb8_skb_out;
    bpf_program__set_autoload(program, wanted);
  }
  if (const int err = socket_bpf::load(skeleton.get()); err != 0) {
    auto error = sys_error(-err, "load the socket probe");
    error.error().what += " (" + log.tail() + ")";
    return error;
  }
  return DatagramProbes(std::move(skeleton));
}

int DatagramProbes::ingress_fd() const {
  return bpf_program__fd(skeleton_->progs.orb8_skb_in);
}
int DatagramProbes::egress_fd() const {
  return bpf_program__fd(skeleton_->progs.orb8_skb_out);
}

Result<std::uint64_t> DatagramProbes::missed() const {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return sys_error(-cpus, "count the CPUs");
  std::vector<orb8_sock_tallies> per_cpu(static_cast<std::size_t>(cpus));
  const std::uint32_t zero = 0;
  const int fd = bpf_map__fd(skeleton_->maps.orb8_sock_tally);
  if (const int err = bpf_map_lookup_elem(fd, &zero, per_cpu.data()); err != 0) {
    return sys_error(-err, "read the socket tally");
  }
  std::uint64_t packets = 0;
  for (const auto& cpu : per_cpu) {
    for (const auto fate : {ORB8_SOCK_SPILLED, ORB8_SOCK_LOST, ORB8_SOCK_UNPARSED}) {
      packets += cpu.fate[fate].packets;
    }
  }
  return packets;
}

}  // namespace orb8::bench
