// SPDX-License-Identifier: Apache-2.0
#include "cli/socket_text.h"

#include <cstdint>

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr std::size_t kShortId = 12;  // as `docker ps` shows it
constexpr const char* kUnknown = "-";

std::string known(const std::string& text) {
  return text.empty() ? kUnknown : text;
}

std::string number(std::uint64_t value) {
  return value == 0 ? kUnknown : std::to_string(value);
}

std::string micros(std::uint32_t value) {
  return value == 0 ? kUnknown : human_micros(value);
}

template <class Message>
std::string container(const Message& message) {
  const auto& name = message.container_name();
  return name.empty() ? known(message.container_id().substr(0, kShortId)) : name;
}

template <class Message>
std::string process(const Message& message) {
  return message.container_id().empty() ? known(message.process()) : container(message);
}

// A row that stands for several connections has a role, and no socket.
template <class Message>
Row cells(const Message& message) {
  const bool connection = !message.role().empty();
  const bool socket = connection || message.socket_cookie() != 0;
  return {known(message.process()),
          number(message.pid()),
          container(message),
          known(message.connection_state()),
          known(message.role()),
          micros(message.rtt_us()),
          micros(message.min_rtt_us()),
          connection ? human_count(message.retransmits()) : kUnknown,
          socket ? human_bytes(message.payload_bytes()) : kUnknown,
          number(message.netns()),
          known(message.failure_reason())};
}

}  // namespace

std::string process_text(const v1::NetworkFlow& flow) {
  return process(flow);
}
std::string process_text(const v1::NetworkEvent& event) {
  return process(event);
}

std::string failure_text(const v1::NetworkFlow& flow) {
  return known(flow.failure_reason());
}
std::string failure_text(const v1::NetworkEvent& event) {
  return known(event.failure_reason());
}

std::vector<Column> socket_columns() {
  return {{.header = "PROCESS"},
          {.header = "PID", .align = Align::kRight, .width = 7},
          {.header = "CONTAINER"},
          {.header = "STATE", .width = 11},
          {.header = "ROLE", .width = 6},
          {.header = "RTT", .align = Align::kRight, .width = 7},
          {.header = "MIN RTT", .align = Align::kRight},
          {.header = "RETRANS", .align = Align::kRight},
          {.header = "PAYLOAD", .align = Align::kRight, .width = 9},
          {.header = "NETNS", .align = Align::kRight, .width = 10},
          {.header = "FAILURE"}};
}

Row socket_cells(const v1::NetworkFlow& flow) {
  return cells(flow);
}
Row socket_cells(const v1::NetworkEvent& event) {
  return cells(event);
}

}  // namespace orb8
