// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/traffic.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kEchoHeader = 8;

void wait_readable(int fd, const char* doing) {
  pollfd wait = {.fd = fd, .events = POLLIN, .revents = 0};
  if (must(::poll(&wait, 1, std::chrono::milliseconds(kDeadline).count()), "poll") == 0) {
    throw std::runtime_error(std::string(doing) + ": nothing came");
  }
}

std::uint16_t checksum(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += bytes[i] << (i % 2 == 0 ? 8U : 0U);
  while (sum >> 16U) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

std::vector<std::uint8_t> echo_request(bool v4, std::uint16_t sequence, std::size_t payload) {
  std::vector<std::uint8_t> packet(kEchoHeader + payload, 0x5a);
  packet[0] = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
  packet[1] = packet[2] = packet[3] = 0;
  packet[4] = packet[5] = 0x0b;
  packet[6] = static_cast<std::uint8_t>(sequence >> 8U);
  packet[7] = static_cast<std::uint8_t>(sequence);
  const auto sum = checksum(packet);  // for ICMPv6 the kernel writes it
  packet[2] = static_cast<std::uint8_t>(sum >> 8U);
  packet[3] = static_cast<std::uint8_t>(sum);
  return packet;
}

bool is_reply(const std::uint8_t* received, std::size_t size, bool v4,
              const std::vector<std::uint8_t>& request) {
  const std::size_t at = v4 ? 20 : 0;  // a raw IPv4 socket gets the IP header as well
  if (size < at + request.size()) return false;
  const std::uint8_t wanted = v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
  return received[at] == wanted && std::memcmp(received + at + 4, &request[4], 4) == 0;
}

void await_reply(int fd, bool v4, const std::vector<std::uint8_t>& request) {
  std::vector<std::uint8_t> received(request.size() + 100);
  for (;;) {
    wait_readable(fd, "wait for an echo reply");
    const auto size = must(::recv(fd, received.data(), received.size(), 0), "recv");
    if (is_reply(received.data(), static_cast<std::size_t>(size), v4, request)) return;
  }
}

void send_all(int fd, std::size_t bytes) {
  const std::vector<char> piece(64UL * 1024, 'x');
  while (bytes > 0) {
    const auto sent = must(::send(fd, piece.data(), std::min(bytes, piece.size()), 0), "send");
    bytes -= static_cast<std::size_t>(sent);
  }
}

void receive_all(int fd, std::size_t bytes) {
  std::vector<char> piece(64UL * 1024);
  while (bytes > 0) {
    wait_readable(fd, "read from a connection");
    const auto size = must(::recv(fd, piece.data(), std::min(bytes, piece.size()), 0), "recv");
    if (size == 0) throw std::runtime_error("a connection ended early");
    bytes -= static_cast<std::size_t>(size);
  }
}

void await_end(int fd) {
  char byte = 0;
  wait_readable(fd, "wait for the end of a connection");
  if (must(::recv(fd, &byte, 1, 0), "recv") != 0) throw std::runtime_error("bytes too many");
}

tcp_info info_of(int fd) {
  tcp_info info = {};
  socklen_t size = sizeof(info);
  must(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), "TCP_INFO");
  return info;
}

tcp_info info_once_closed(int fd) {
  constexpr std::uint8_t kClosed = 7;  // TCP_CLOSE
  tcp_info info = {};
  if (!eventually([&] { return (info = info_of(fd)).tcpi_state == kClosed; })) {
    throw std::runtime_error("a connection did not close");
  }
  return info;
}

}  // namespace

std::size_t ip_header(const Addr& addr) {
  return addr.is_v4() ? 20 : 40;
}

std::size_t udp_frame(const Addr& addr, std::size_t payload) {
  return kEthernet + ip_header(addr) + kUdpHeader + payload;
}

std::size_t echo_frame(const Addr& addr, std::size_t payload) {
  return kEthernet + ip_header(addr) + kEchoHeader + payload;
}

UdpSink::UdpSink(const NetNs& ns, const Addr& addr, std::uint16_t port)
    : fd_(bound_socket(ns, SOCK_DGRAM | SOCK_NONBLOCK, 0, addr, port)) {
  set_option(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);
}

std::size_t UdpSink::receive(std::size_t wanted) {
  std::vector<char> datagram(64UL * 1024);
  eventually([&] {
    while (::recv(fd_.get(), datagram.data(), datagram.size(), 0) >= 0) ++received_;
    return received_ >= wanted;
  });
  return received_;
}

UdpSender::UdpSender(const NetNs& ns, const Ends& ends)
    : fd_(bound_socket(ns, SOCK_DGRAM, 0, ends.src, ends.src_port)) {
  const auto here = ns.enter();
  set_option(fd_.get(), SOL_SOCKET, SO_BROADCAST, 1);
  connect_to(fd_.get(), ends.dst, ends.dst_port);
}

void UdpSender::send(std::size_t count, std::size_t payload, std::size_t segment) {
  set_option(fd_.get(), SOL_UDP, UDP_SEGMENT, static_cast<int>(segment));
  const std::vector<char> datagram(payload, 'u');
  for (std::size_t i = 0; i < count; ++i) {
    must(::send(fd_.get(), datagram.data(), datagram.size(), 0), "send a datagram");
  }
}

void ping(const NetNs& ns, const Addr& src, const Addr& dst, std::size_t count,
          std::size_t payload) {
  const bool v4 = dst.is_v4();
  const auto fd = bound_socket(ns, SOCK_RAW, v4 ? kIcmp : kIcmp6, src, 0);
  connect_to(fd.get(), dst, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto request = echo_request(v4, static_cast<std::uint16_t>(i), payload);
    must(::send(fd.get(), request.data(), request.size(), 0), "send an echo request");
    await_reply(fd.get(), v4, request);
  }
}

Connection::Connection(const NetNs& client_ns, const NetNs& server_ns, const Ends& ends)
    : listener(bound_socket(server_ns, SOCK_STREAM, 0, ends.dst, ends.dst_port)) {
  must(::listen(listener.get(), 1), "listen");
  client = bound_socket(client_ns, SOCK_STREAM, 0, ends.src, ends.src_port);
  connect_to(client.get(), ends.dst, ends.dst_port);
  server = UniqueFd(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept"));
}

void Connection::send(const UniqueFd& from, const UniqueFd& to, std::size_t bytes) {
  send_all(from.get(), bytes);
  receive_all(to.get(), bytes);
}

TcpOutcome transfer_tcp(const NetNs& client, const NetNs& server, const Ends& ends,
                        std::size_t bytes, std::size_t answer) {
  const Connection connection(client, server, ends);
  const auto& fd = connection.client;
  const auto& peer = connection.server;

  std::exception_ptr failure;
  std::thread serve([&] {
    try {
      receive_all(peer.get(), bytes);
      send_all(peer.get(), answer);
      await_end(peer.get());
      must(::shutdown(peer.get(), SHUT_WR), "shutdown");
    } catch (...) {
      failure = std::current_exception();
    }
  });
  try {
    send_all(fd.get(), bytes);
    receive_all(fd.get(), answer);
    must(::shutdown(fd.get(), SHUT_WR), "shutdown");
    await_end(fd.get());
  } catch (...) {
    ::shutdown(fd.get(), SHUT_RDWR);  // so that the other side ends as well
    serve.join();
    throw;
  }
  serve.join();
  if (failure) std::rethrow_exception(failure);
  return {.client = info_once_closed(fd.get()),
          .server = info_once_closed(peer.get()),
          .client_port = local_port(fd.get())};
}

}  // namespace orb8::netns
