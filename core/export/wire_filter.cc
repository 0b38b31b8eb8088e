// SPDX-License-Identifier: Apache-2.0
#include "core/export/wire_filter.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

constexpr std::uint32_t kLastPort = 65535;
constexpr int kMostValues = 1000;  // of one field: each costs every flow a comparison
constexpr int kMostFilters = 100;  // of one list

constexpr const char* kName = "a name, with a star at most at its end";
constexpr const char* kScopedName =
    "[NAMESPACE/]NAME, each with a star at most at its end, as web-0 or shop/web-*";
constexpr const char* kPrefix = "an address or a prefix, as 10.0.0.0/8 or fd00::/8";

std::unexpected<Error> wrong(const std::string& field, const std::string& value,
                             const std::string& allowed) {
  return fail(Errc::kInvalid,
              field + ": '" + quotable(value) + "' is not allowed; it must be " + allowed);
}

template <class Values>
Result<void> check_size(const Values& values, const std::string& field, int most) {
  if (values.size() <= most) return {};
  return wrong(field, std::to_string(values.size()) + " values", "at most " + std::to_string(most));
}

// Turns each text into a value by `parse`, or says which is wrong.
template <class Texts, class Value, class Parse>
Result<void> parse_each(const Texts& texts, const std::string& field, const std::string& allowed,
                        std::vector<Value>& out, Parse parse) {
  if (auto ok = check_size(texts, field, kMostValues); !ok) return ok;
  for (const auto& text : texts) {
    auto value = parse(text);
    if (!value) return wrong(field, text, allowed);
    out.push_back(std::move(*value));
  }
  return {};
}

// Reads one message, field by field, until one is wrong.
class Reader {
 public:
  explicit Reader(std::string where) : where_(std::move(where)) {}

  template <class Texts, class Value, class Parse>
  Reader& read(const Texts& texts, const char* field, const char* allowed, std::vector<Value>& out,
               Parse parse) {
    if (ok_) ok_ = parse_each(texts, where_ + field, allowed, out, parse);
    return *this;
  }

  template <class Numbers, class Value, class Convert>
  Reader& read_numbers(const Numbers& numbers, const char* field, const char* allowed,
                       std::vector<Value>& out, Convert convert) {
    if (ok_) ok_ = check_size(numbers, where_ + field, kMostValues);
    for (const auto number : numbers) {
      if (!ok_) break;
      if (const auto value = convert(number)) {
        out.push_back(*value);
      } else {
        ok_ = wrong(where_ + field, std::to_string(number), allowed);
      }
    }
    return *this;
  }

  const Result<void>& done() const { return ok_; }

 private:
  std::string where_;
  Result<void> ok_;
};

Result<void> read_endpoint(const v1::EndpointFilter& wire, const std::string& where,
                           EndpointFilter& out) {
  return Reader(where)
      .read(wire.namespaces(), "namespaces", kName, out.namespaces, parse_name_pattern)
      .read(wire.pods(), "pods", kScopedName, out.pods, parse_scoped_pattern)
      .read(wire.workloads(), "workloads",
            "[KIND/]NAME, with a star at most at the name's end, as web or deployment/web-*",
            out.workloads, parse_workload_pattern)
      .read(wire.labels(), "labels", "a label selector, as app=web or 'tier in (a,b),!canary'",
            out.labels, LabelSelector::parse)
      .read(wire.services(), "services", kScopedName, out.services, parse_scoped_pattern)
      .read(wire.nodes(), "nodes", kName, out.nodes, parse_name_pattern)
      .read(wire.containers(), "containers", kName, out.containers, parse_name_pattern)
      .read(wire.processes(), "processes", kName, out.processes, parse_name_pattern)
      .read(wire.ips(), "ips", kPrefix, out.prefixes, parse_prefix)
      .read(wire.ports(), "ports", "a port or a range, as 443 or 8000-8999", out.ports,
            parse_port_range)
      .done();
}

std::optional<PortRange> to_range(std::uint32_t port) {
  if (port > kLastPort) return std::nullopt;
  const auto same = static_cast<std::uint16_t>(port);
  return PortRange{.first = same, .last = same};
}

std::optional<IpVersion> to_version(std::uint32_t version) {
  if (version == 4) return IpVersion::kV4;
  if (version == 6) return IpVersion::kV6;
  return std::nullopt;
}

Result<void> read_flow(const v1::FlowFilter& wire, const std::string& where, FlowFilter& out) {
  out.min_bytes = wire.min_bytes();
  out.min_rtt_us = wire.min_rtt_us();
  out.min_retransmits = wire.min_retransmits();
  out.failed = wire.failed();
  return Reader(where)
      .read(wire.ips(), "ips", kPrefix, out.either.prefixes, parse_prefix)
      .read_numbers(wire.ports(), "ports", "a number from 0 to 65535", out.either.ports, to_range)
      .read(wire.protocols(), "protocols",
            "a protocol's name, as TCP or ICMPv6, or a number from 0 to 255", out.protocols,
            parse_protocol)
      .read(wire.directions(), "directions", "ingress or egress", out.directions, parse_direction)
      .read(wire.verdicts(), "verdicts", "established, failed or reset", out.verdicts,
            parse_verdict)
      .read(wire.tcp_flags(), "tcp_flags",
            "flags out of SYN, FIN, RST, PSH, ACK, URG, ECE and CWR, as SYN,ACK", out.tcp_flags,
            parse_tcp_flags)
      .read_numbers(wire.ip_versions(), "ip_versions", "4 or 6", out.versions, to_version)
      .done();
}

// All but none_of.
Result<FlowFilter> read_one(const v1::FlowFilter& wire, const std::string& where) {
  FlowFilter filter;
  auto ok = read_flow(wire, where, filter);
  if (ok) ok = read_endpoint(wire.source(), where + "source.", filter.source);
  if (ok) ok = read_endpoint(wire.destination(), where + "destination.", filter.destination);
  if (ok) ok = read_endpoint(wire.either(), where + "either.", filter.either);
  if (!ok) return std::unexpected(ok.error());
  return filter;
}

template <class Filters>
Result<void> read_list(const Filters& wire, const std::string& field,
                       std::vector<FlowFilter>& out) {
  if (auto ok = check_size(wire, field, kMostFilters); !ok) return ok;
  for (const auto& one : wire) {
    auto filter = from_wire(one, field + ".");
    if (!filter) return std::unexpected(filter.error());
    out.push_back(std::move(*filter));
  }
  return {};
}

bool asks_for_labels(const FlowFilter& filter) {
  return !filter.source.labels.empty() || !filter.destination.labels.empty() ||
         !filter.either.labels.empty() || std::ranges::any_of(filter.none_of, asks_for_labels);
}

bool asks_for_labels(const FlowSelection& selection) {
  const auto asks = [](const FlowFilter& filter) { return asks_for_labels(filter); };
  return asks(selection.all) || std::ranges::any_of(selection.allow, asks) ||
         std::ranges::any_of(selection.deny, asks);
}

}  // namespace

Result<FlowFilter> from_wire(const v1::FlowFilter& wire, const std::string& where) {
  auto filter = read_one(wire, where);
  if (!filter) return filter;
  const auto field = where + "none_of";
  if (auto ok = check_size(wire.none_of(), field, kMostFilters); !ok) {
    return std::unexpected(ok.error());
  }
  for (const auto& none : wire.none_of()) {
    if (none.none_of_size() > 0) {
      return wrong(field + ".none_of", std::to_string(none.none_of_size()) + " values", "empty");
    }
    auto read = read_one(none, field + ".");
    if (!read) return read;
    filter->none_of.push_back(std::move(*read));
  }
  return filter;
}

template <class Request>
Result<FlowSelection> read_selection(const Request& request, bool labels_kept) {
  FlowSelection selection;
  auto filter = from_wire(request.filter(), "filter.");
  if (!filter) return std::unexpected(filter.error());
  selection.all = std::move(*filter);
  auto& either = selection.all.either;
  auto ok =
      Reader("")
          .read(request.namespaces(), "namespaces", kName, either.namespaces, parse_name_pattern)
          .read(request.pod_names(), "pod_names", kScopedName, either.pods, parse_scoped_pattern)
          .done();
  if (ok) ok = read_list(request.allow(), "allow", selection.allow);
  if (ok) ok = read_list(request.deny(), "deny", selection.deny);
  if (!ok) return std::unexpected(ok.error());
  if (!labels_kept && asks_for_labels(selection)) {
    return fail(Errc::kInvalid,
                "labels: flows do not have them here; set ORB8_LABELS=on where they are watched, "
                "or ask by workload or pod");
  }
  return selection;
}

template Result<FlowSelection> read_selection(const v1::QueryFlowsRequest&, bool);
template Result<FlowSelection> read_selection(const v1::StreamEventsRequest&, bool);

}  // namespace orb8
