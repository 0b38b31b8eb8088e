// What names cost: naming both sides of a flow, and holding the pods of a large cluster.
// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/pipeline/attribution.h"
#include "core/pipeline/flow_namer.h"
#include "tests/bench/parts.h"
#include "tests/bench/thread_clock.h"

namespace orb8::bench {
namespace {

constexpr int kPods = 10'000;
constexpr int kNodes = 100;
constexpr int kServices = 1'000;
constexpr int kRounds = 200'000;
constexpr int kTries = 10;  // what other tasks do to the caches only adds
constexpr double kBarNs = 300;
constexpr double kBarMib = 16;

std::string hex(std::uint64_t number, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (auto at = text.rbegin(); at != text.rend() && number != 0; ++at, number >>= 4U) {
    *at = "0123456789abcdef"[number & 15U];
  }
  return text;
}

Addr addr(std::uint8_t first, int number) {
  return Addr::v4(first, static_cast<std::uint8_t>(number >> 16),
                  static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

std::string node_name(int number) {
  return "ip-10-0-" + std::to_string(number) + "-1.eu-central-1.compute.internal";
}

// As pods are: of a Deployment with a sidecar, two address families, names of usual length.
k8s::Pod pod(int number) {
  const auto app = "recommendation-service-" + std::to_string(number / 20);
  const auto n = static_cast<std::uint64_t>(number);
  k8s::Pod made;
  made.uid = hex(n, 8) + "-1234-1234-1234-" + hex(n, 12);
  made.name_space = "team-" + std::to_string(number / 100);
  made.name = app + "-7d9f8b6c5d-" + hex(n, 5);
  made.node = node_name(number % kNodes);
  Addr v6 = *parse_addr("fd00::");
  v6.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  v6.bytes[15] = static_cast<std::uint8_t>(number);
  made.ips = {addr(10, number + 1), v6};
  made.containers = {{"app", hex(2 * n + 1, 64)}, {"istio-proxy", hex(2 * n + 2, 64)}};
  made.controller = {"ReplicaSet", app + "-7d9f8b6c5d"};
  made.labels = {{"app", app}, {"pod-template-hash", "7d9f8b6c5d"}};
  made.start_ns = number;
  return made;
}

k8s::Service service(int number) {
  return {.uid = "service-" + std::to_string(number),
          .name_space = "team-" + std::to_string(number / 10),
          .name = "recommendation-service-" + std::to_string(number),
          .cluster_ips = {addr(172, number + 1)},
          .external_ips = {},
          .ports = {{.name = "http", .protocol = IPPROTO_TCP, .port = 80, .node_port = 0}}};
}

double in_use_mib() {
  return static_cast<double>(::mallinfo2().uordblks) / (1024.0 * 1024.0);
}

// Pods with pods, with Services and with strangers, as a node's flows are.
std::vector<FlowKey> flows() {
  std::mt19937 random(1);
  std::vector<FlowKey> keys(4096);
  for (auto& key : keys) {
    const auto any = [&](int most) {
      return static_cast<int>(random() % static_cast<unsigned>(most));
    };
    key.src = addr(10, any(kPods) + 1);
    const int kind = any(4);
    key.dst = kind == 0   ? addr(172, any(kServices) + 1)
              : kind == 1 ? addr(203, any(1 << 20))
                          : addr(10, any(kPods) + 1);
    key.src_port = static_cast<std::uint16_t>(30'000 + any(30'000));
    key.dst_port = 80;
    key.protocol = IPPROTO_TCP;
    key.direction = Direction::kEgress;
  }
  return keys;
}

// What is looked through, and when, because of a pod that has only now got its address.
void measure_late_names(KubeStore& store, FlowNamer& namer, Report& report) {
  constexpr int kFlows = 100'000;
  constexpr std::int64_t kSecond = 1'000'000'000;
  const auto identity = Identity::open({.node = node_name(0), .kube = &store}, 0);
  FlowTable table({.max_flows = kFlows});
  Attribution attribution(*identity, namer, table, &store);
  attribution.refresh(0);
  for (int i = 0; i < kFlows; ++i) {
    FlowRecord record;
    record.key = {.src = addr(10, i % kPods + 1),
                  .dst = addr(203, i),
                  .src_port = 30'000,
                  .dst_port = 443,
                  .protocol = IPPROTO_TCP,
                  .direction = Direction::kEgress};
    record.packets = record.bytes = 1;
    table.apply(record, [&](const FlowRecord& r) { return attribution.owners_of(r); });
  }
  int number = kPods;
  const auto ms_of = [&](std::int64_t now_ns, bool news) {
    if (news) store.set(pod(number++));
    const auto begin = thread_cpu_ns();
    attribution.name_late(now_ns);
    return (thread_cpu_ns() - begin) / 1e6;
  };
  ms_of(0, true);  // all there are
  double young_ms = 1e18;
  double all_ms = 1e18;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto now_ns = attempt * 2 * kSecond / kTries;
    young_ms = std::min(young_ms, ms_of(now_ns, true));  // sooner than a second after the last look
  }
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const auto now_ns = (attempt + 5) * 2 * kSecond;  // nobody is young any more
    all_ms = std::min(all_ms, ms_of(now_ns, true));
  }
  report.add({"kube.ms_to_look_at_16k_young_flows", young_ms, "ms"});
  report.add({"kube.ms_to_look_through_100k_flows", all_ms, "ms"});
}

}  // namespace

Result<void> measure_kube(Report& report) {
  const auto before = in_use_mib();
  KubeStore store({.max_pods = kPods, .node = node_name(0)});
  auto begin = thread_cpu_ns();
  for (int i = 0; i < kPods; ++i) store.set(pod(i));
  const auto fill_ns = thread_cpu_ns() - begin;
  const auto pods_mib = in_use_mib() - before;
  for (int i = 0; i < kNodes; ++i) {
    store.set(k8s::Node{.uid = std::to_string(i),
                        .name = node_name(i),
                        .ips = {addr(192, i + 1)},
                        .pod_cidrs = {{.addr = addr(11, 256 * i), .length = 120}},
                        .zone = "eu-central-1a"});
  }
  for (int i = 0; i < kServices; ++i) store.set(service(i));
  begin = thread_cpu_ns();
  store.tick();
  const auto zones_ns = thread_cpu_ns() - begin;

  FlowNamer namer({.node = node_name(0), .netns = 1, .kube = &store});
  namer.set_own_addresses({addr(192, 1)});
  const auto keys = flows();
  std::size_t named = 0;
  double least_ns = 1e18;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    begin = thread_cpu_ns();
    for (std::size_t i = 0; i < kRounds; ++i) {
      const auto owners = namer.owners_of(keys[i % keys.size()], 1, nullptr);
      named += owners.dst ? 1U : 0U;
    }
    least_ns = std::min(least_ns, thread_cpu_ns() - begin);
  }
  if (named == 0) return fail(Errc::kInternal, "no flow got a name");

  report.add({"kube.ns_per_flow_named", least_ns / kRounds, "ns", kBarNs});
  report.add({"kube.mib_10k_pods", pods_mib, "MiB", kBarMib});
  report.add({"kube.ms_to_take_10k_pods", fill_ns / 1e6, "ms"});
  report.add({"kube.ms_to_bring_zones", zones_ns / 1e6, "ms"});
  measure_late_names(store, namer, report);
  return measure_kube_api(report);
}

}  // namespace orb8::bench
