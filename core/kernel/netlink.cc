// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/netlink.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <string>

namespace orb8 {
namespace {

constexpr std::size_t kRequestBytes = 1024;
constexpr std::size_t kAnswerBytes = 32UL * 1024;  // what the kernel fills at most in a dump
constexpr int kDumpTries = 5;

int visit_message(const nlmsghdr* message, void* visit) {
  (*static_cast<const std::function<void(const nlmsghdr*)>*>(visit))(message);
  return MNL_CB_OK;
}

int visit_attr(const nlattr* attr, void* visit) {
  (*static_cast<const AttrFn*>(visit))(attr);
  return MNL_CB_OK;
}

// libmnl takes its callbacks' context as void*.
template <class Fn>
void* context(const Fn& fn) {
  return const_cast<void*>(static_cast<const void*>(&fn));
}

}  // namespace

void NetlinkSocket::Close::operator()(mnl_socket* socket) const {
  mnl_socket_close(socket);
}

Result<NetlinkSocket> NetlinkSocket::open_bus(int bus, std::uint32_t groups, const char* name) {
  NetlinkSocket socket(mnl_socket_open2(bus, SOCK_CLOEXEC));
  if (!socket.socket_ || mnl_socket_bind(socket.socket_.get(), groups, MNL_SOCKET_AUTOPID) < 0) {
    return sys_error(errno, std::string("open a socket of ") + name);
  }
  return socket;
}

Result<NetlinkSocket> NetlinkSocket::open(std::uint32_t groups) {
  return open_bus(NETLINK_ROUTE, groups, "rtnetlink");
}

Result<NetlinkSocket> NetlinkSocket::open_netfilter(std::uint32_t groups) {
  return open_bus(NETLINK_NETFILTER, groups, "ctnetlink");
}

void NetlinkSocket::set_buffer(int bytes) {
  if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0) return;
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int NetlinkSocket::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

Result<void> NetlinkSocket::dump(std::uint16_t type, const std::function<void(nlmsghdr*)>& build,
                                 const std::function<void(const nlmsghdr*)>& visit) {
  const auto doing = "netlink dump of type " + std::to_string(type);
  for (int tries = 0; tries < kDumpTries; ++tries) {
    alignas(nlmsghdr) std::array<char, kRequestBytes> request = {};
    nlmsghdr* header = mnl_nlmsg_put_header(request.data());
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = static_cast<std::uint32_t>(tries + 1);
    build(header);
    if (mnl_socket_sendto(socket_.get(), header, header->nlmsg_len) < 0) {
      return sys_error(errno, doing);
    }
    int more = MNL_CB_OK;
    while (more == MNL_CB_OK) {
      alignas(nlmsghdr) std::array<char, kAnswerBytes> answer;
      const auto length = mnl_socket_recvfrom(socket_.get(), answer.data(), answer.size());
      if (length < 0) return sys_error(errno, doing);
      more = mnl_cb_run(answer.data(), static_cast<std::size_t>(length), header->nlmsg_seq,
                        mnl_socket_get_portid(socket_.get()), visit_message, context(visit));
    }
    if (more == MNL_CB_STOP) return {};
    if (errno != EINTR) return sys_error(errno, doing);
    // NLM_F_DUMP_INTR: what we read may be torn. Visitors collect by id, so reading again is safe.
  }
  return fail(Errc::kUnavailable, doing + ": it kept changing while it was read");
}

bool NetlinkSocket::drain(const std::function<void(const nlmsghdr*)>& visit) {
  bool complete = true;
  for (;;) {
    alignas(nlmsghdr) std::array<char, kAnswerBytes> notice;
    const auto length = ::recv(fd(), notice.data(), notice.size(), MSG_DONTWAIT);
    if (length < 0) {
      if (errno == ENOBUFS) {
        complete = false;
        continue;
      }
      if (errno == EINTR) continue;
      return complete;  // EAGAIN: that was all
    }
    mnl_cb_run(notice.data(), static_cast<std::size_t>(length), 0, 0, visit_message,
               context(visit));
  }
}

void for_each_attr(const nlmsghdr* message, std::size_t offset, const AttrFn& visit) {
  mnl_attr_parse(message, static_cast<unsigned>(offset), visit_attr, context(visit));
}

void for_each_nested_attr(const nlattr* outer, const AttrFn& visit) {
  mnl_attr_parse_nested(outer, visit_attr, context(visit));
}

}  // namespace orb8
