// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/attached.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace orb8::netns {
namespace {

// <linux/bpf.h> has these since Linux 6.6.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);

}  // namespace

bool has_tcx() {
  constexpr int kLoopback = 1;
  LIBBPF_OPTS(bpf_prog_query_opts, opts);
  return bpf_prog_query_opts(kLoopback, kTcxIngress, &opts) == 0;
}

std::vector<std::uint32_t> tcx_programs(const NetNs& ns, const std::string& interface,
                                        Direction direction) {
  std::vector<std::uint32_t> ids(64);
  LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids.data(),
              .prog_cnt = static_cast<std::uint32_t>(ids.size()));
  const auto ifindex = static_cast<int>(ifindex_of(ns, interface));
  const auto here = ns.enter();
  const int err = bpf_prog_query_opts(
      ifindex, direction == Direction::kIngress ? kTcxIngress : kTcxEgress, &opts);
  if (err == -EINVAL) return {};  // a kernel without TCX
  if (err != 0) throw std::runtime_error("ask for TCX programs: " + std::string(strerror(-err)));
  ids.resize(opts.prog_cnt);
  return ids;
}

std::vector<std::string> filters(const NetNs& ns, const std::string& interface,
                                 Direction direction) {
  std::istringstream output(
      ns.sh("tc filter show dev " + interface + " " + std::string(to_string(direction))));
  std::vector<std::string> found;
  for (std::string line; std::getline(output, line);) {
    // The others tell of a priority's or a hash table's head, or go on about a filter.
    const bool is_filter = line.find(" handle ") != std::string::npos ||  // bpf
                           line.find(" order ") != std::string::npos;     // u32
    if (is_filter) found.push_back(line);
  }
  return found;
}

bool has_clsact(const NetNs& ns, const std::string& interface) {
  return ns.sh("tc qdisc show dev " + interface).find("clsact") != std::string::npos;
}

}  // namespace orb8::netns
