// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/open_source.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/base/mounts.h"
#include "core/kernel/preflight.h"
#include "core/source/socket_source.h"
#include "core/source/tc_source.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kLeastRing = 1U << 20;  // 5,000 sockets that close within a poll interval

TcMechanism to_mechanism(TcAttach attach) {
  switch (attach) {
    case TcAttach::kTcx:
      return TcMechanism::kTcx;
    case TcAttach::kClsact:
      return TcMechanism::kClsact;
    case TcAttach::kAuto:
      break;
  }
  return TcMechanism::kAuto;
}

TcSource::Options tc_options(const Config& config, std::string reason) {
  return {.interfaces = config.interfaces,
          .mechanism = to_mechanism(config.tc_attach),
          .place = config.tc_anchor == TcAnchor::kHead ? TcPlace::kHead : TcPlace::kTail,
          .max_flows = config.max_flows,
          .packet_ring_bytes = config.ring_buffer_size,
          .reason = std::move(reason)};
}

std::string no_kernel_btf() {
  return std::string(kKernelBtf) + " cannot be read";
}

// Whose kernel has BTF does not need to read it here. One that was built without may refuse the
// program, in words that do not say so.
Result<std::unique_ptr<FlowSource>> open_tc(const Config& config, std::string reason) {
  auto source = TcSource::open(tc_options(config, std::move(reason)));
  if (!source && !can_read_kernel_btf()) source.error().what += "; " + no_kernel_btf();
  return source;
}

Result<std::unique_ptr<FlowSource>> open_socket(const Config& config, std::string reason) {
  auto source = SocketSource::open({.udp = config.udp,
                                    .cgroup_mount = find_cgroup2_mount(""),
                                    .max_flows = config.max_flows,
                                    .ring_bytes = std::max(config.ring_buffer_size, kLeastRing),
                                    .packets = tc_options(config, ""),
                                    .reason = std::move(reason)});
  // Asked once it has failed: libbpf finds BTF in other places as well.
  if (!source && !can_read_kernel_btf()) {
    source.error().what = "flows of sockets need the kernel's BTF: " + no_kernel_btf();
  }
  return source;
}

}  // namespace

Result<std::unique_ptr<FlowSource>> open_source(const Config& config) {
  if (config.flow_source == FlowSourceChoice::kTc) return open_tc(config, "chosen by flow_source");
  if (config.flow_source == FlowSourceChoice::kSocket) {
    return open_socket(config, "chosen by flow_source");
  }
  // Who names interfaces wants to see what crosses them.
  if (!config.interfaces.empty()) return open_tc(config, "auto: interfaces were named");
  std::string why_not;
  if (find_cgroup2_mount("").empty()) {
    why_not = "cgroup v2 is mounted nowhere";
  } else {
    auto source = open_socket(config, "auto: this kernel has what it needs");
    if (source) return source;
    why_not = source.error().what;
  }
  spdlog::warn("Falling back to flow source tc: {}", why_not);
  return open_tc(config, "auto: not socket, as " + why_not);
}

}  // namespace orb8
