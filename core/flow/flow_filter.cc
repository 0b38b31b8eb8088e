// SPDX-License-Identifier: Apache-2.0
#include "core/flow/flow_filter.h"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace orb8 {
namespace {

// A field's alternatives for a product: its values, or "anything" where there are none.
template <class T>
std::vector<std::optional<T>> alternatives(const std::vector<T>& values) {
  if (values.empty()) return {std::nullopt};
  return {values.begin(), values.end()};
}

// The kernel tests one address and one port: of the first side that has some.
struct Asked {
  Side side = Side::kEither;
  const EndpointFilter* of = nullptr;
};

template <class Field>
Asked first_asked(const FlowFilter& filter, Field field) {
  for (const Asked asked :
       {Asked{Side::kDestination, &filter.destination}, Asked{Side::kSource, &filter.source}}) {
    if (!(asked.of->*field).empty()) return asked;
  }
  return {Side::kEither, &filter.either};
}

// Absent where there would be more than `most`.
std::optional<std::vector<PacketFilter>> product(const FlowFilter& filter, std::size_t most) {
  const auto prefixes = first_asked(filter, &EndpointFilter::prefixes);
  const auto ports = first_asked(filter, &EndpointFilter::ports);
  // A prefix says the version itself.
  const auto versions = prefixes.of->prefixes.empty() ? alternatives(filter.versions)
                                                      : alternatives(std::vector<IpVersion>());
  std::vector<PacketFilter> filters;
  for (const auto& prefix : alternatives(prefixes.of->prefixes)) {
    for (const auto& range : alternatives(ports.of->ports)) {
      for (const auto& protocol : alternatives(filter.protocols)) {
        for (const auto& direction : alternatives(filter.directions)) {
          for (const auto& version : versions) {
            if (filters.size() == most) return std::nullopt;
            filters.push_back({.prefix = prefix,
                               .prefix_side = prefixes.side,
                               .ports = range,
                               .port_side = ports.side,
                               .protocol = protocol,
                               .direction = direction,
                               .version = version});
          }
        }
      }
    }
  }
  return filters;
}

bool is_everything(const std::vector<PacketFilter>& filters) {
  return std::ranges::any_of(filters, [](const PacketFilter& filter) {
    return !filter.prefix && !filter.ports && !filter.protocol && !filter.direction &&
           !filter.version;
  });
}

}  // namespace

std::vector<PacketFilter> packet_filters(const FlowSelection& selection, std::size_t most) {
  const auto of_all = product(selection.all, most);
  if (of_all && !is_everything(*of_all)) return *of_all;
  if (selection.allow.empty()) return {PacketFilter{}};
  std::vector<PacketFilter> filters;
  for (const auto& filter : selection.allow) {
    const auto more = product(filter, most - filters.size());
    if (!more || is_everything(*more)) return {PacketFilter{}};
    filters.insert(filters.end(), more->begin(), more->end());
  }
  return filters;
}

}  // namespace orb8
