// Traffic of which every packet is known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/tcp.h>

#include <cstddef>
#include <cstdint>

#include "core/base/unique_fd.h"
#include "core/model/flow.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kMtu = 1500;
constexpr std::uint16_t kPort = 7000;  // of who is talked to
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp6 = 58;

std::size_t ip_header(const Addr& addr);
// One unfragmented datagram's wire bytes.
std::size_t udp_frame(const Addr& addr, std::size_t payload);
std::size_t echo_frame(const Addr& addr, std::size_t payload);

// Who talks to whom, as the sender sees it.
struct Ends {
  Addr src;
  std::uint16_t src_port = 0;
  Addr dst;
  std::uint16_t dst_port = 0;

  Ends reversed() const { return {dst, dst_port, src, src_port}; }
  FlowKey flow(std::uint8_t protocol, Direction direction) const {
    return {.src = src,
            .dst = dst,
            .src_port = src_port,
            .dst_port = dst_port,
            .protocol = protocol,
            .direction = direction};
  }
};

// A bound socket that keeps what it gets: nobody answers that the port is unreachable.
class UdpSink {
 public:
  UdpSink(const NetNs& ns, const Addr& addr, std::uint16_t port);
  // Waits for so many datagrams; how many came.
  std::size_t receive(std::size_t wanted);

 private:
  UniqueFd fd_;
  std::size_t received_ = 0;
};

class UdpSender {
 public:
  UdpSender(const NetNs& ns, const Ends& ends);
  // `segment`: one send becomes datagrams of this size (UDP_SEGMENT); 0: as it is.
  void send(std::size_t count, std::size_t payload, std::size_t segment = 0);

 private:
  UniqueFd fd_;
};

// So many echo requests, each answered before the next. Throws when one is not.
void ping(const NetNs& ns, const Addr& src, const Addr& dst, std::size_t count,
          std::size_t payload);

// A listener and a connection to it, accepted.
struct Connection {
  Connection(const NetNs& client_ns, const NetNs& server_ns, const Ends& ends);
  // So many bytes, read to the end.
  static void send(const UniqueFd& from, const UniqueFd& to, std::size_t bytes);

  UniqueFd listener;
  UniqueFd client;
  UniqueFd server;
};

// One connection over which the client sends `bytes` and the server `answer` bytes; both close in
// order. What the two sockets say of it after the last acknowledgement.
struct TcpOutcome {
  tcp_info client;
  tcp_info server;
  std::uint16_t client_port = 0;
};
TcpOutcome transfer_tcp(const NetNs& client, const NetNs& server, const Ends& ends,
                        std::size_t bytes, std::size_t answer);

}  // namespace orb8::netns
