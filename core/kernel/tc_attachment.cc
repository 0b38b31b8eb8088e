// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/tc_attachment.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <utility>

namespace orb8 {
namespace {

// <linux/bpf.h> has these since Linux 6.6; spelled out because Debian 12's headers are older.
constexpr auto kTcxIngress = static_cast<bpf_attach_type>(46);
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);
constexpr std::uint32_t kBefore = 1U << 3;  // BPF_F_BEFORE without an anchor: first of all
constexpr std::uint32_t kAfter = 1U << 4;   // BPF_F_AFTER without an anchor: last of all

}  // namespace

Result<TcAttachment> TcAttachment::attach(int program_fd, const TcTarget& target,
                                          TcMechanism mechanism, TcPlace place) {
  if (mechanism != TcMechanism::kClsact) {
    const bool ingress = target.direction == Direction::kIngress;
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = place == TcPlace::kHead ? kBefore : kAfter);
    const int fd = bpf_link_create(program_fd, static_cast<int>(target.ifindex),
                                   ingress ? kTcxIngress : kTcxEgress, &opts);
    if (fd >= 0) return TcAttachment(TcxLink{UniqueFd(fd)});
    if (mechanism == TcMechanism::kTcx || fd != -EINVAL) {
      return sys_error(-fd, "attach tcx to " + target.interface);
    }
    // EINVAL: an attach type that this kernel does not know.
  }
  auto filter =
      ClsactFilter::attach(program_fd, target.ifindex, target.direction, place == TcPlace::kHead);
  if (!filter) return std::unexpected(filter.error());
  return TcAttachment(std::move(*filter));
}

std::string_view TcAttachment::mechanism() const noexcept {
  return std::holds_alternative<TcxLink>(how_) ? "tcx" : "clsact";
}

}  // namespace orb8
