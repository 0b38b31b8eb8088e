// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/conntrack.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include <utility>

namespace orb8 {
namespace {

constexpr std::uint32_t kGroups = NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY;
constexpr int kBufferBytes = 8 << 20;  // some 10,000 notices: of a second, on a busy node
constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8U | IPCTNL_MSG_CT_GET;

FlowKey key_of(const FlowKey& sent) {
  auto key = sent;
  key.direction = Direction::kEgress;
  key.socket = 0;
  return key;
}

}  // namespace

Result<std::unique_ptr<Conntrack>> Conntrack::open(std::size_t max_entries) {
  auto notices = NetlinkSocket::open_netfilter(kGroups);
  if (!notices) return std::unexpected(notices.error());
  notices->set_buffer(kBufferBytes);
  auto requests = NetlinkSocket::open_netfilter(0);
  if (!requests) return std::unexpected(requests.error());
  auto conntrack = std::unique_ptr<Conntrack>(
      new Conntrack(std::move(*notices), std::move(*requests), max_entries));
  if (auto ok = conntrack->read_all(); !ok) return std::unexpected(ok.error());
  return conntrack;
}

Result<void> Conntrack::read_all() {
  entries_.clear();
  return requests_.dump(
      kGet,
      [](nlmsghdr* request) {
        auto* payload =
            static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(nfgenmsg)));
        payload->nfgen_family = AF_UNSPEC;
        payload->version = NFNETLINK_V0;
      },
      [this](const nlmsghdr* message) { take(message); });
}

void Conntrack::refresh() {
  const bool complete = notices_.drain([this](const nlmsghdr* message) { take(message); });
  if (complete && error_.empty()) return;
  if (!complete) ++reread_;
  const auto ok = read_all();
  error_ = ok ? "" : ok.error().what;
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
  entries_[key] = nat->backend;
  ++version_;
}

const Backend* Conntrack::backend_of(const FlowKey& sent) const {
  const auto found = entries_.find(key_of(sent));
  return found == entries_.end() ? nullptr : &found->second;
}

Component Conntrack::component() const {
  Component component{.name = "conntrack", .reason = ""};
  if (!error_.empty()) {
    component = {.name = "conntrack", .healthy = false, .reason = error_};
  } else if (refused_ > 0) {
    component.reason = std::to_string(refused_) +
                       " connections to Services are known without the pod behind: there are too "
                       "many at once";
  }
  return component;
}

}  // namespace orb8
