// SPDX-License-Identifier: Apache-2.0
#include "cli/flow_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace orb8 {
namespace {

// `connection`: it has ports, so that none stands for several.
std::string endpoint(const std::string& address, std::uint32_t port, bool connection) {
  if (port == 0 && !connection) return address;
  const auto shown = port == 0 ? "*" : std::to_string(port);
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, shown)
                                                : fmt::format("[{}]:{}", address, shown);
}

using Names = std::pair<std::uint32_t, std::string_view>;

// https://www.iana.org/assignments/icmp-parameters, in ping's and tcpdump's words.
constexpr std::array<Names, 10> kIcmp = {{{0, "echo-reply"},
                                          {3, "unreachable"},
                                          {4, "source-quench"},
                                          {5, "redirect"},
                                          {8, "echo-request"},
                                          {9, "router-advertisement"},
                                          {10, "router-solicitation"},
                                          {11, "time-exceeded"},
                                          {12, "parameter-problem"},
                                          {13, "timestamp"}}};
constexpr std::array<Names, 15> kIcmpv6 = {{{1, "unreachable"},
                                            {2, "packet-too-big"},
                                            {3, "time-exceeded"},
                                            {4, "parameter-problem"},
                                            {128, "echo-request"},
                                            {129, "echo-reply"},
                                            {130, "listener-query"},
                                            {131, "listener-report"},
                                            {132, "listener-done"},
                                            {133, "router-solicitation"},
                                            {134, "router-advertisement"},
                                            {135, "neighbor-solicitation"},
                                            {136, "neighbor-advertisement"},
                                            {137, "redirect"},
                                            {143, "listener-report-v2"}}};

template <class Message>
std::string icmp_type_of(const Message& message) {
  if (!message.has_icmp_type()) return "";
  const std::span<const Names> names =
      message.protocol() == "ICMP" ? std::span<const Names>(kIcmp) : kIcmpv6;
  const auto found = std::ranges::find(names, message.icmp_type(), &Names::first);
  return found == names.end() ? fmt::format("type {}", message.icmp_type())
                              : std::string(found->second);
}

// Only what the cluster calls so: the addresses of a machine by itself say more than its name, and
// processes are told elsewhere.
bool has_name(const v1::Endpoint& endpoint) {
  return !endpoint.name().empty() && (endpoint.kind() == "pod" || endpoint.kind() == "service" ||
                                      (endpoint.kind() == "node" && !endpoint.uid().empty()));
}

template <class Message>
std::string source(const Message& message, bool named) {
  const bool connection = !message.role().empty();
  if (named && has_name(message.src())) {
    return endpoint(endpoint_text(message.src()), message.src_port(), connection);
  }
  return endpoint(message.src_ip(), message.src_port(), connection);
}

template <class Message>
std::string bare_destination(const Message& message, bool named) {
  auto where = named && has_name(message.dst()) ? endpoint_text(message.dst()) : message.dst_ip();
  if (message.has_icmp_type()) return where;
  return endpoint(where, message.dst_port(), !message.role().empty());
}

template <class Message>
std::string destination(const Message& message, bool named) {
  const auto type = icmp_type_of(message);
  const auto where = bare_destination(message, named);
  return type.empty() ? where : where + " " + type;
}

template <class Message>
std::string service(const Message& message) {
  const bool of_dst = !message.dst_service().empty();
  const auto& name = of_dst ? message.dst_service() : message.src_service();
  const auto& port = of_dst ? message.dst_service_port() : message.src_service_port();
  if (name.empty()) return "-";
  return port.empty() ? name : name + ":" + port;
}

}  // namespace

std::string source_of(const v1::NetworkFlow& flow, Sides sides) {
  return source(flow, sides == Sides::kNames);
}
std::string source_of(const v1::NetworkEvent& event, Sides sides) {
  return source(event, sides == Sides::kNames);
}
std::string destination_of(const v1::NetworkFlow& flow, Sides sides) {
  return destination(flow, sides == Sides::kNames);
}
std::string destination_of(const v1::NetworkEvent& event, Sides sides) {
  return destination(event, sides == Sides::kNames);
}
std::string bare_destination_of(const v1::NetworkFlow& flow, Sides sides) {
  return bare_destination(flow, sides == Sides::kNames);
}
std::string bare_destination_of(const v1::NetworkEvent& event, Sides sides) {
  return bare_destination(event, sides == Sides::kNames);
}
std::string source_address_of(const v1::NetworkFlow& flow) {
  return source(flow, false);
}
std::string source_address_of(const v1::NetworkEvent& event) {
  return source(event, false);
}
std::string destination_address_of(const v1::NetworkFlow& flow) {
  return destination(flow, false);
}
std::string destination_address_of(const v1::NetworkEvent& event) {
  return destination(event, false);
}

std::string endpoint_text(const v1::Endpoint& endpoint) {
  const auto& kind = endpoint.kind();
  if (kind == "pod") return endpoint.namespace_() + "/" + endpoint.name();
  if (kind == "service") return "svc/" + endpoint.namespace_() + "/" + endpoint.name();
  if (kind.empty()) return "-";
  return endpoint.name().empty() ? kind : kind + "/" + endpoint.name();
}

std::string service_text(const v1::NetworkFlow& flow) {
  return service(flow);
}
std::string service_text(const v1::NetworkEvent& event) {
  return service(event);
}
std::string icmp_text(const v1::NetworkFlow& flow) {
  return icmp_type_of(flow);
}
std::string icmp_text(const v1::NetworkEvent& event) {
  return icmp_type_of(event);
}

std::string tcp_flag_letters(std::uint32_t flags) {
  // tcpdump(1): S (SYN), F (FIN), P (PUSH), R (RST), U (URG), W (CWR), E (ECE), '.' (ACK)
  constexpr std::array<std::pair<std::uint32_t, char>, 8> kLetters = {{{0x02, 'S'},
                                                                       {0x01, 'F'},
                                                                       {0x08, 'P'},
                                                                       {0x04, 'R'},
                                                                       {0x20, 'U'},
                                                                       {0x80, 'W'},
                                                                       {0x40, 'E'},
                                                                       {0x10, '.'}}};
  std::string letters;
  for (const auto& [flag, letter] : kLetters) {
    if ((flags & flag) != 0) letters += letter;
  }
  return letters;
}

std::string tcp_flags_text(std::uint32_t flags) {
  const auto letters = tcp_flag_letters(flags);
  return letters.empty() ? "-" : letters;
}

std::string pod_text(const v1::NetworkFlow& flow) {
  return flow.namespace_() + "/" + flow.pod_name();
}
std::string pod_text(const v1::NetworkEvent& event) {
  return event.namespace_() + "/" + event.pod_name();
}

std::uint64_t bytes_of(const v1::NetworkEvent& event) {
  return std::max<std::uint64_t>(event.byte_count(), event.bytes());
}

std::uint64_t packets_of(const v1::NetworkEvent& event) {
  return event.type() == v1::EVENT_TYPE_UNSPECIFIED ? 1 : event.packets();
}

}  // namespace orb8
