// What it costs to hold a flow against a filter.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/flow/flow_matcher.h"
#include "tests/bench/parts.h"

namespace orb8::bench {
namespace {

constexpr std::uint32_t kFlows = 10'000;
constexpr int kRounds = 50;
constexpr int kTries = 10;
constexpr double kBarNs = 150;

EndpointRef pod(std::uint32_t number) {
  return std::make_shared<const Endpoint>(
      Endpoint{.kind = EndpointKind::kPod,
               .name_space = "team-" + std::to_string(number % 10),
               .name = "recommendation-service-7d9f8b6c5d-" + std::to_string(number),
               .workload_kind = "Deployment",
               .workload = "recommendation-service",
               .labels = {{"app", "recommendation-service"}, {"tier", "backend"}}});
}

// All match, so that no condition is spared.
std::vector<Flow> flows() {
  std::vector<EndpointRef> pods;
  for (std::uint32_t i = 0; i < 1000; ++i) pods.push_back(pod(i * 10));
  std::vector<Flow> all(kFlows);
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    auto& flow = all[i];
    flow.key = {
        .src = Addr::v4(10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)),
        .dst = Addr::v4(10, 2, 0, static_cast<std::uint8_t>(i)),
        .src_port = static_cast<std::uint16_t>(40'000 + i),
        .dst_port = 443,
        .protocol = IPPROTO_TCP,
        .direction = Direction::kEgress};
    flow.owners = FlowOwners{.src = pods[i % pods.size()], .dst = pods[i * 7 % pods.size()]};
  }
  return all;
}

// Nanoseconds for a flow: the best of several tries, since what else runs only adds.
Result<double> ns_per_flow(const FlowMatcher& matcher, const std::vector<Flow>& flows) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (int i = 0; i < kTries; ++i) {
    std::uint64_t matched = 0;
    const auto begin = Clock::now();
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& flow : flows) matched += matcher.matches(flow) ? 1 : 0;
    }
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    if (matched != std::uint64_t{kFlows} * kRounds) {
      return fail(Errc::kInvalid, "a filter left flows out that it must match");
    }
    best = std::min(best, took.count() / (static_cast<double>(kFlows) * kRounds));
  }
  return best;
}

}  // namespace

Result<void> measure_filter(Report& report) {
  const FlowFilter packets{.source = {.prefixes = {*parse_prefix("10.1.0.0/16")}},
                           .destination = {.ports = {{443, 443}, {8000, 8999}}},
                           .protocols = {IPPROTO_TCP},
                           .directions = {Direction::kEgress},
                           .versions = {IpVersion::kV4}};
  const FlowFilter names{
      .source = {.namespaces = {*parse_name_pattern("team-0")},
                 .pods = {*parse_scoped_pattern("recommendation-*")},
                 .workloads = {*parse_workload_pattern("deploy/recommendation-service")},
                 .labels = {*LabelSelector::parse("app=recommendation-service,tier in (backend)")}},
      .destination = {.ports = {{443, 443}}}};
  const auto all = flows();
  const auto by_packets = ns_per_flow(FlowMatcher({.all = packets}), all);
  if (!by_packets) return std::unexpected(by_packets.error());
  const auto by_names = ns_per_flow(FlowMatcher({.all = names}), all);
  if (!by_names) return std::unexpected(by_names.error());
  report.add({"filter.ns_per_flow.five_of_packets", *by_packets, "ns", kBarNs});
  report.add({"filter.ns_per_flow.five_with_names", *by_names, "ns", kBarNs});
  return {};
}

}  // namespace orb8::bench
