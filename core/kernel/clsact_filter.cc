// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/clsact_filter.h"

#include <bpf/libbpf.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/kernel/libbpf_log.h"
#include "core/kernel/netlink.h"

namespace orb8 {
namespace {

// libbpf names a filter "<program>:[<id>]". Somebody else's program may have the name too, so that
// a filter is ours only with a handle of our range as well.
constexpr std::string_view kOurNames = "network_probe";
constexpr std::uint32_t kOurHandles = 0x0b800000;
constexpr std::uint32_t kHandleRange = 0xfff00000;  // the bits that are the same in all of them
constexpr std::uint32_t kHeadPriority = 1;
constexpr std::uint32_t kTailPriority = 0xffff;
constexpr int kClaimTries = 8;  // a taken name is one in a thousand at worst: no sockets, then

struct Filter {
  std::uint32_t handle = 0;
  std::uint32_t priority = 0;
  std::string name;
};

bpf_tc_attach_point attach_point(Direction direction) {
  return direction == Direction::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

// Reads a filter out of an RTM_NEWTFILTER message; false for a message that names none (the dump
// has one for each priority too, with handle 0).
bool read_filter(const nlmsghdr* message, Filter& filter) {
  const auto& about = *static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message));
  filter.handle = about.tcm_handle;
  filter.priority = about.tcm_info >> 16U;
  bool is_bpf = false;
  for_each_attr(message, sizeof(about), [&](const nlattr* attr) {
    if (mnl_attr_get_type(attr) == TCA_KIND) {
      is_bpf = std::string_view(mnl_attr_get_str(attr)) == "bpf";
    }
    if (mnl_attr_get_type(attr) != TCA_OPTIONS || !is_bpf) return;
    for_each_nested_attr(attr, [&](const nlattr* option) {
      if (mnl_attr_get_type(option) == TCA_BPF_NAME) filter.name = mnl_attr_get_str(option);
    });
  });
  return filter.handle != 0;
}

Result<std::vector<Filter>> filters_of(std::uint32_t ifindex, Direction direction) {
  auto socket = NetlinkSocket::open(0);
  if (!socket) return std::unexpected(socket.error());
  const auto minor = direction == Direction::kIngress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS;
  std::vector<Filter> filters;
  auto ok = socket->dump(
      RTM_GETTFILTER,
      [&](nlmsghdr* request) {
        auto& about = *static_cast<tcmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(tcmsg)));
        about.tcm_family = AF_UNSPEC;
        about.tcm_ifindex = static_cast<int>(ifindex);
        about.tcm_parent = TC_H_MAKE(TC_H_CLSACT, minor);
      },
      [&](const nlmsghdr* message) {
        Filter filter;
        if (read_filter(message, filter)) filters.push_back(std::move(filter));
      });
  if (!ok) return std::unexpected(ok.error());
  return filters;
}

bool is_ours(const Filter& filter) {
  return filter.name.starts_with(kOurNames) && (filter.handle & kHandleRange) == kOurHandles;
}

// An invalid descriptor: somebody who lives holds the claim.
UniqueFd claim(std::uint32_t handle) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;  // sun_path[0] stays 0: an abstract name, gone with its owner
  const int length =
      std::snprintf(&address.sun_path[1], sizeof(address.sun_path) - 1, "orb8/clsact/%08x", handle);
  const auto size = offsetof(sockaddr_un, sun_path) + 1 + static_cast<std::size_t>(length);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
             static_cast<socklen_t>(size)) != 0) {
    return {};
  }
  return socket;
}

std::uint32_t random_handle() {
  std::uint32_t handle = 0;
  if (::getrandom(&handle, sizeof(handle), 0) != sizeof(handle)) handle = 1;
  return kOurHandles | (handle & ~kHandleRange);
}

int detach(std::uint32_t ifindex, Direction direction, std::uint32_t handle,
           std::uint32_t priority) {
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = attach_point(direction));
  LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = priority);
  return bpf_tc_detach(&hook, &opts);
}

void remove_unused_qdisc(std::uint32_t ifindex) {
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    const auto filters = filters_of(ifindex, direction);
    if (!filters || !filters->empty()) return;
  }
  // Both bits mean the qdisc itself to libbpf.
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
  constexpr auto kWhole = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex), .attach_point = kWhole);
  bpf_tc_hook_destroy(&hook);
}

}  // namespace

void ClsactFilter::remove_abandoned(std::uint32_t ifindex) {
  const LibbpfLog log;
  for (const auto direction : {Direction::kIngress, Direction::kEgress}) {
    const auto filters = filters_of(ifindex, direction);
    if (!filters) continue;  // the interface is gone
    for (const auto& filter : *filters) {
      if (!is_ours(filter)) continue;
      if (!claim(filter.handle)) continue;  // its owner lives
      if (detach(ifindex, direction, filter.handle, filter.priority) == 0) {
        spdlog::info("Removed a {} filter of ifindex {} left behind by a killed process",
                     to_string(direction), ifindex);
      }
    }
  }
}

Result<ClsactFilter> ClsactFilter::attach(int program_fd, std::uint32_t ifindex,
                                          Direction direction, bool head) {
  const LibbpfLog log;
  const auto doing = "attach a clsact " + std::string(to_string(direction)) +
                     " filter to ifindex " + std::to_string(ifindex);
  ClsactFilter filter;
  filter.ifindex_ = ifindex;
  filter.direction_ = direction;
  // Before anything is made: without a claim there would be nobody to take it away again.
  for (int tries = 0; tries < kClaimTries && !filter.claim_; ++tries) {
    filter.handle_ = random_handle();
    filter.claim_ = claim(filter.handle_);
  }
  if (!filter.claim_) return fail(Errc::kExhausted, doing + ": no unix socket can be bound");
  filter.priority_ = head ? kHeadPriority : kTailPriority;

  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = attach_point(direction));
  const int made = bpf_tc_hook_create(&hook);
  if (made != 0 && made != -EEXIST) return sys_error(-made, doing);
  filter.made_qdisc_ = made == 0;

  LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program_fd, .handle = filter.handle_,
              .priority = filter.priority_);
  if (const int err = bpf_tc_attach(&hook, &opts); err != 0) {
    auto error = sys_error(-err, doing);
    if (head && err == -EINVAL) {
      error.error().what +=
          "; a filter of another kind holds priority 1: run with --tc-anchor=tail";
    }
    return error;
  }
  return filter;
}

ClsactFilter::ClsactFilter(ClsactFilter&& other) noexcept {
  *this = std::move(other);
}

ClsactFilter& ClsactFilter::operator=(ClsactFilter&& other) noexcept {
  std::swap(claim_, other.claim_);
  std::swap(ifindex_, other.ifindex_);
  std::swap(direction_, other.direction_);
  std::swap(handle_, other.handle_);
  std::swap(priority_, other.priority_);
  std::swap(made_qdisc_, other.made_qdisc_);
  return *this;
}

ClsactFilter::~ClsactFilter() {
  if (!claim_) return;
  const LibbpfLog log;  // the interface may be gone, which is as good
  detach(ifindex_, direction_, handle_, priority_);
  if (made_qdisc_) remove_unused_qdisc(ifindex_);
}

}  // namespace orb8
