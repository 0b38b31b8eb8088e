// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/conntrack.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace orb8 {
namespace {

constexpr std::uint32_t kGroups = NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY;
constexpr int kBufferBytes = 8 << 20;  // some 10,000 notices: of a second, on a busy node
constexpr auto* kEventsSetting = "/proc/sys/net/netfilter/nf_conntrack_events";
constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_GET;

FlowKey key_of(const FlowKey& sent) {
  auto key = sent;
  key.direction = Direction::kEgress;
  key.socket = 0;
  return key;
}

// A kernel before 5.15 passes over the status and tells of all connections.
void ask_for_rewritten(nlmsghdr* request) {
  auto* payload = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
  payload->nfgen_family = AF_UNSPEC;
  payload->version = NFNETLINK_V0;
  mnl_attr_put_u32(request, CTA_STATUS, htonl(IPS_DST_NAT));
}

}  // namespace

Result<std::unique_ptr<Conntrack>> Conntrack::open(std::int64_t now_ns, std::size_t max_entries) {
  auto notices = NetlinkSocket::open_netfilter(kGroups);
  if (!notices) return std::unexpected(notices.error());
  notices->set_buffer(kBufferBytes);
  auto requests = NetlinkSocket::open_netfilter(0);
  if (!requests) return std::unexpected(requests.error());
  auto conntrack = std::unique_ptr<Conntrack>(
      new Conntrack(std::move(*notices), std::move(*requests), max_entries));
  if (auto ok = conntrack->read_all(now_ns); !ok) return std::unexpected(ok.error());
  // After the first request, which brings the kernel's module and so the file.
  conntrack->events_ = UniqueFd(::open(kEventsSetting, O_RDONLY | O_CLOEXEC));
  conntrack->told_nothing_ = conntrack->is_told_nothing();
  return conntrack;
}

// What notices brought is not lost by it: a connection is in the kernel's table before its
// beginning is told, and what is told while the answers come is taken in after them.
Result<void> Conntrack::read_all(std::int64_t now_ns) {
  look_again_ns_ = now_ns + kReadAgainNs;
  Entries there;
  std::uint64_t refused = 0;
  const auto keep = [&](const nlmsghdr* message) {
    const auto nat = parse_nat_message(message);
    if (!nat) return;
    const auto key = key_of(nat->sent);
    if (there.size() >= max_entries_ && !there.contains(key)) {
      ++refused;
      return;
    }
    there[key] = {.backend = nat->backend};
  };
  if (auto ok = requests_.dump(kGet, ask_for_rewritten, keep); !ok) return ok;
  for (auto& [key, entry] : there) {
    const auto before = entries_.find(key);
    if (before != entries_.end() && before->second.backend == entry.backend) {
      entry.told = before->second.told;
    } else {
      ++version_;
    }
  }
  entries_ = std::move(there);
  refused_ = refused;
  return {};
}

void Conntrack::refresh(std::int64_t now_ns) {
  const bool complete = notices_.drain([this](const nlmsghdr* message) { take(message); });
  if (!complete) ++reread_;
  if (complete && error_.empty() && !has_to_read_again(now_ns)) return;
  const auto ok = read_all(now_ns);
  error_ = ok ? "" : ok.error().what;
}

bool Conntrack::has_to_read_again(std::int64_t now_ns) {
  if (now_ns < look_again_ns_) return false;
  look_again_ns_ = now_ns + kReadAgainNs;
  const bool was_told_nothing = std::exchange(told_nothing_, is_told_nothing());
  if (was_told_nothing || told_nothing_ || refused_ > 0) return true;
  return std::ranges::any_of(entries_, [](const auto& entry) { return !entry.second.told; });
}

bool Conntrack::is_told_nothing() const {
  char value = '1';
  return ::pread(events_.get(), &value, 1, 0) == 1 && value == '0';
}

void Conntrack::take(const nlmsghdr* message) {
  const auto nat = parse_nat_message(message);
  if (!nat) return;
  const auto key = key_of(nat->sent);
  if (nat->destroyed) {
    entries_.erase(key);
    return;
  }
  const auto found = entries_.find(key);
  if (found == entries_.end() && entries_.size() >= max_entries_) {
    ++refused_;
    return;
  }
  entries_[key] = {.backend = nat->backend, .told = true};
  ++version_;
}

const Backend* Conntrack::backend_of(const FlowKey& sent) const {
  const auto found = entries_.find(key_of(sent));
  return found == entries_.end() ? nullptr : &found->second.backend;
}

Component Conntrack::component() const {
  Component component{.name = "conntrack", .reason = ""};
  if (!error_.empty()) {
    component = {.name = "conntrack", .healthy = false, .reason = error_};
  } else if (refused_ > 0) {
    component.reason = std::to_string(refused_) +
                       " connections to Services are known without the pod behind: there are too "
                       "many at once";
  } else if (told_nothing_) {
    component.reason =
        "net.netfilter.nf_conntrack_events is 0, so that the pods behind Services are looked for "
        "once a minute only";
  }
  return component;
}

}  // namespace orb8
