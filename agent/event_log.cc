// SPDX-License-Identifier: Apache-2.0
#include "agent/event_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace orb8 {
namespace {

// ICMP has no ports: its type and code stand in their places of the key, but not here.
std::string side(const FlowKey& key, const Addr& addr, std::uint16_t port) {
  const auto shown_port = is_icmp(key.protocol) ? 0 : port;
  return fmt::format(fmt::runtime(addr.is_v4() ? "{}:{}" : "[{}]:{}"), to_string(addr), shown_port);
}

std::string name_of(const Endpoint& endpoint) {
  return endpoint.name_space.empty() ? endpoint.name : endpoint.name_space + "/" + endpoint.name;
}

// What more there is to say than the pod in front: both sides by name, and the Service.
std::string names(const FlowOwners& owners) {
  std::string text;
  const auto add = [&](std::string_view key, const EndpointRef& endpoint) {
    if (endpoint && !endpoint->name.empty()) text += fmt::format(" {}={}", key, name_of(*endpoint));
  };
  add("from", owners.src);
  add("to", owners.dst);
  add("service", owners.dst_service ? owners.dst_service : owners.src_service);
  return text;
}

}  // namespace

std::string to_log_line(const Event& event) {
  const auto& key = event.flow.key;
  const auto shown = shown_pod(key, *event.flow.owners);
  return fmt::format("[{}/{}] {} -> {} {} {} len={}{}", shown.name_space, shown.name,
                     side(key, key.src, key.src_port), side(key, key.dst, key.dst_port),
                     protocol_name(key.protocol), to_string(key.direction), event.bytes,
                     names(*event.flow.owners));
}

EventLog::EventLog(Subscription subscription)
    : thread_([events = std::move(subscription)](const std::stop_token& stop) mutable {
        while (!stop.stop_requested()) {
          const auto batch = events.next(std::chrono::seconds(1), stop);
          if (batch.dropped_before > 0) {
            spdlog::debug("{} events were too fast for this log", batch.dropped_before);
          }
          for (const auto& event : batch.events) spdlog::debug("{}", to_log_line(event));
          if (batch.ended) return;
        }
      }) {}

}  // namespace orb8
