// SPDX-License-Identifier: Apache-2.0
#include "cli/filter_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <utility>

#include "cli/flag_values.h"
#include "cli/format.h"
#include "core/config/values.h"
#include "core/flow/label_selector.h"
#include "core/flow/name_pattern.h"
#include "core/model/addr.h"
#include "core/model/flow.h"
#include "core/model/packet_filter.h"
#include "core/model/verdict.h"

namespace orb8 {
namespace {

constexpr auto kMostRtt = std::chrono::hours(1);  // the wire has 32 bits of microseconds

// Whether a value is one that the wire takes, too.
using Check = bool (*)(const std::string&);

template <auto parse>
bool reads(const std::string& text) {
  return parse(text).has_value();
}

using Texts = google::protobuf::RepeatedPtrField<std::string>;
using EndpointField = Texts* (v1::EndpointFilter::*)();

// What can be asked of either side, of the source and of the destination.
struct SideFlag {
  const char* word;        // "--WORD", "--from-WORD", "--to-WORD"
  const char* short_name;  // of the first, with a comma behind it; or empty
  const char* type;
  const char* about;  // "From or to this ..."
  const char* allowed;
  EndpointField field;
  Check check;
};

constexpr const char* kName = "a name, with a star at most at its end";
constexpr const char* kScopedName = "[NAMESPACE/]NAME, each with a star at most at its end";

const std::array<SideFlag, 7> kSideFlags = {{
    {"namespace", "-n,", "NAME", "namespace; NAME* for all that begin so", kName,
     &v1::EndpointFilter::mutable_namespaces, reads<parse_name_pattern>},
    {"pod", "", "[NS/]NAME", "pod; NAME* for all that begin so", kScopedName,
     &v1::EndpointFilter::mutable_pods, reads<parse_scoped_pattern>},
    {"workload", "", "[KIND/]NAME", "workload, as deploy/web",
     "[KIND/]NAME, with a star at most at the name's end", &v1::EndpointFilter::mutable_workloads,
     reads<parse_workload_pattern>},
    {"label", "-l,", "SELECTOR", "label selector, as app=web,tier!=db",
     "a label selector, as app=web or 'tier in (a,b),!canary'", &v1::EndpointFilter::mutable_labels,
     reads<LabelSelector::parse>},
    {"service", "", "[NS/]NAME", "Service", kScopedName, &v1::EndpointFilter::mutable_services,
     reads<parse_scoped_pattern>},
    {"ip", "", "ADDR[/LEN]", "address or prefix",
     "an address or a prefix, as 10.0.0.0/8 or fd00::/8", &v1::EndpointFilter::mutable_ips,
     reads<parse_prefix>},
    {"port", "", "PORT[-PORT]", "port or range of ports",
     "a number from 0 to 65535, or a range, as 8000-8999", &v1::EndpointFilter::mutable_ports,
     reads<parse_port_range>},
}};

void add_side_flags(const SideFlag& flag, std::vector<FilterFlag>& out) {
  const auto with = [&](v1::EndpointFilter* (v1::FlowFilter::*side)()) {
    return [side, flag](v1::FlowFilter& filter, const std::string& text) {
      *((filter.*side)()->*flag.field)()->Add() = text;
      return flag.check(text);
    };
  };
  const std::string word = flag.word;
  out.push_back({.names = std::string(flag.short_name) + "--" + word,
                 .type = flag.type,
                 .about = fmt::format("From or to this {}.", flag.about),
                 .allowed = flag.allowed,
                 .words = {},
                 .add = with(&v1::FlowFilter::mutable_either)});
  out.push_back({.names = "--from-" + word,
                 .type = flag.type,
                 .about = fmt::format("From this {}.", flag.about),
                 .allowed = flag.allowed,
                 .words = {},
                 .add = with(&v1::FlowFilter::mutable_source)});
  out.push_back({.names = "--to-" + word,
                 .type = flag.type,
                 .about = fmt::format("To this {}.", flag.about),
                 .allowed = flag.allowed,
                 .words = {},
                 .add = with(&v1::FlowFilter::mutable_destination)});
}

template <EndpointField field>
bool add_to_either(v1::FlowFilter& filter, const std::string& text) {
  *(filter.mutable_either()->*field)()->Add() = text;
  return parse_name_pattern(text).has_value();
}

template <Texts* (v1::FlowFilter::*field)(), Check check>
bool add_text(v1::FlowFilter& filter, const std::string& text) {
  *(filter.*field)()->Add() = text;
  return check(text);
}

bool add_min_rtt(v1::FlowFilter& filter, const std::string& text) {
  // A bare number is in seconds elsewhere, and nobody means that here.
  const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
  const auto rtt = bare ? std::nullopt : parse_fine_duration(text);
  if (!rtt || *rtt > kMostRtt) return false;
  filter.set_min_rtt_us(static_cast<std::uint32_t>(rtt->count()));
  return true;
}

bool add_min_bytes(v1::FlowFilter& filter, const std::string& text) {
  const auto bytes = parse_size(text);
  if (bytes) filter.set_min_bytes(*bytes);
  return bytes.has_value();
}

bool add_min_retransmits(v1::FlowFilter& filter, const std::string& text) {
  const auto count = parse_unsigned(text);
  if (!count || *count > UINT32_MAX) return false;
  filter.set_min_retransmits(static_cast<std::uint32_t>(*count));
  return true;
}

// What is said of the flow, or of a side that has no flag of its own.
struct FlowFlag {
  const char* names;
  const char* type;
  const char* about;
  const char* allowed;
  std::array<const char*, 8> words;
  bool (*add)(v1::FlowFilter&, const std::string&);
};

const std::array<FlowFlag, 13> kFlowFlags = {{
    {"--node-name",
     "NAME",
     "From or to what is on this node; NAME* for all that begin so.",
     kName,
     {},
     add_to_either<&v1::EndpointFilter::mutable_nodes>},
    {"--container",
     "NAME|ID",
     "From or to this container on its node; NAME* for all that begin so.",
     "a name, with a star at most at its end, or 12 digits of an id",
     {},
     add_to_either<&v1::EndpointFilter::mutable_containers>},
    {"--process",
     "NAME",
     "From or to this process on its node; NAME* for all that begin so.",
     kName,
     {},
     add_to_either<&v1::EndpointFilter::mutable_processes>},
    {"--protocol",
     "NAME",
     "tcp, udp, icmp, icmpv6, sctp, ..., or a number.",
     "a protocol's name, as tcp, udp, icmp, icmpv6 or sctp, or a number from 0 to 255",
     {"tcp", "udp", "icmp", "icmpv6", "sctp"},
     add_text<&v1::FlowFilter::mutable_protocols, reads<parse_protocol>>},
    {"--direction,--traffic-direction",
     "WAY",
     "ingress or egress, as seen from the node.",
     "one of ingress, egress",
     {"ingress", "egress"},
     add_text<&v1::FlowFilter::mutable_directions, reads<parse_direction>>},
    {"--tcp-flags",
     "FLAG[,FLAG]",
     "TCP flows that had all of these flags, as SYN,ACK.",
     "flags out of SYN, FIN, RST, PSH, ACK, URG, ECE and CWR, as SYN,ACK",
     {"SYN", "FIN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"},
     add_text<&v1::FlowFilter::mutable_tcp_flags, reads<parse_tcp_flags>>},
    {"-4,--ipv4",
     "",
     "IPv4 only.",
     "",
     {},
     [](v1::FlowFilter& filter, const std::string& /*text*/) {
       filter.add_ip_versions(4);
       return true;
     }},
    {"-6,--ipv6",
     "",
     "IPv6 only.",
     "",
     {},
     [](v1::FlowFilter& filter, const std::string& /*text*/) {
       filter.add_ip_versions(6);
       return true;
     }},
    {"--verdict",
     "VERDICT",
     "Connections that are established, failed or were reset.",
     "one of established, failed, reset",
     {"established", "failed", "reset"},
     add_text<&v1::FlowFilter::mutable_verdicts, reads<parse_verdict>>},
    {"--failed",
     "",
     "Connections that failed: refused, timed out, unreachable, reset, given up.",
     "",
     {},
     [](v1::FlowFilter& filter, const std::string& /*text*/) {
       filter.set_failed(true);
       return true;
     }},
    {"--min-rtt",
     "TIME",
     "Connections whose round-trip time is at least this, as 50ms or 250us.",
     "a time with its unit, up to 1h, as 50ms or 250us",
     {},
     add_min_rtt},
    {"--min-bytes",
     "SIZE",
     "Flows that moved at least this, as 1M or 64K.",
     "a size in bytes, as 4096, 64K or 1M",
     {},
     add_min_bytes},
    {"--min-retransmits",
     "COUNT",
     "Connections that sent so many segments again, or more.",
     "a number from 0 to 4294967295",
     {},
     add_min_retransmits},
}};

// Puts filters together, a flag at a time.
class Assembler {
 public:
  Result<void> take(const GivenFilter& given) {
    if (given.flag == kOrFlag) return begin_next();
    if (given.flag == kNotFlag) {
      if (negated_) return fail(Errc::kInvalid, "--not: a second one right behind it");
      negated_ = true;
      return {};
    }
    const auto flag = std::ranges::find(filter_flags(), given.flag, &FilterFlag::name);
    const bool once = given.flag.starts_with("--min-");
    if (once && !negated_ && std::ranges::find(given_, given.flag) != given_.end()) {
      return fail(Errc::kInvalid, given.flag + " is given twice");
    }
    given_.push_back(given.flag);
    auto& into = negated_ ? *current().add_none_of() : current();
    negated_ = false;
    if (!flag->add(into, given.value)) return not_allowed(given.flag, given.value);
    return {};
  }

  Result<std::vector<v1::FlowFilter>> finish() {
    if (filters_.empty() && !negated_) return filters_;
    if (auto ok = check_ended(); !ok) return std::unexpected(ok.error());
    return std::move(filters_);
  }

 private:
  v1::FlowFilter& current() {
    if (filters_.empty()) filters_.emplace_back();
    return filters_.back();
  }

  Result<void> begin_next() {
    if (auto ok = check_ended(); !ok) return ok;
    filters_.emplace_back();
    given_.clear();
    return {};
  }

  Result<void> check_ended() const {
    if (negated_) {
      return fail(Errc::kInvalid,
                  "--not: what must not match is missing behind it, as --not --port 53");
    }
    if (given_.empty()) {
      return fail(Errc::kInvalid,
                  "--or: it stands between two filters, as --from-pod web-0 --or --to-pod web-0");
    }
    return {};
  }

  std::vector<v1::FlowFilter> filters_;
  std::vector<std::string> given_;  // of the present filter
  bool negated_ = false;            // the next one
};

}  // namespace

std::string FilterFlag::name() const {
  const auto long_name = names.substr(names.find("--"));
  return long_name.substr(0, long_name.find(','));
}

const std::vector<FilterFlag>& filter_flags() {
  static const auto all = [] {
    std::vector<FilterFlag> flags;
    for (const auto& flag : kSideFlags) add_side_flags(flag, flags);
    for (const auto& flag : kFlowFlags) {
      auto& added = flags.emplace_back(FilterFlag{.names = flag.names,
                                                  .type = flag.type,
                                                  .about = flag.about,
                                                  .allowed = flag.allowed,
                                                  .words = {},
                                                  .add = flag.add});
      for (const auto* word : flag.words) {
        if (word != nullptr) added.words.emplace_back(word);
      }
    }
    return flags;
  }();
  return all;
}

Result<std::vector<v1::FlowFilter>> read_filters(const std::vector<GivenFilter>& given) {
  Assembler assembler;
  for (const auto& one : given) {
    if (auto ok = assembler.take(one); !ok) return std::unexpected(ok.error());
  }
  return assembler.finish();
}

}  // namespace orb8
