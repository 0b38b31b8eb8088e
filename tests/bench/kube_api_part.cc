// What names cost against a real API server: the first look at a large cluster, and how long a flow
// waits for the name of a pod that has only now got its address.
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <sys/resource.h>

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/k8s/watcher.h"
#include "core/pipeline/pipeline.h"
#include "core/source/scripted_source.h"
#include "tests/bench/parts.h"
#include "tests/integration/kube_api.h"
#include "tests/integration/kube_pods.h"

namespace orb8::bench {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr int kPods = 10'000;
constexpr int kLatePods = 200;           // of these, the last: without an address at first
constexpr std::size_t kBallast = 8'000;  // pods of clusters take some 10 kB
constexpr int kAtOnce = 20;  // flows that wait for their names: within the agent's patience
constexpr double kBarSyncSeconds = 2;
constexpr double kBarNameMs = 200;

double process_cpu_s() {
  rusage used = {};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class Condition>
Result<void> wait_for(const std::string& what, std::chrono::milliseconds between,
                      Condition condition) {
  constexpr auto kPatience = 60s;
  for (const auto end = Clock::now() + kPatience; !condition();) {
    if (Clock::now() > end) return fail(Errc::kUnavailable, "wait for " + what + ": in vain");
    std::this_thread::sleep_for(between);
  }
  return {};
}

FlowRecord flow_to(int number) {
  FlowRecord made;
  made.key = {.src = Addr::v4(203, 0, 113, 1),
              .dst = integration::pod_ip(number),
              .src_port = 40'000,
              .dst_port = 80,
              .protocol = IPPROTO_TCP,
              .direction = Direction::kIngress};
  made.packets = 1;
  made.bytes = 100;
  made.incarnation = 1;
  made.first_seen_ns = made.last_seen_ns =
      std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  return made;
}

bool is_named(Pipeline& pipeline, const FlowKey& key) {
  bool named = false;
  pipeline.flows()->for_each([&](const Flow& flow) {
    named |= flow.key == key && flow.owners->dst && flow.owners->dst->kind == EndpointKind::kPod;
  });
  return named;
}

Result<void> measure_names(const integration::KubeApi& api, KubeStore& store, Report& report) {
  Config config;
  config.node_name = "node-1";
  Script script;
  auto pipeline = Pipeline::start(config, std::make_unique<ScriptedSource>(script), &store);
  if (!pipeline) return std::unexpected(pipeline.error());
  auto connection = api.connect();
  std::vector<double> ms;
  for (int first = kPods - kLatePods; first < kPods; first += kAtOnce) {
    for (int i = first; i < first + kAtOnce; ++i) script.set_flow(flow_to(i));
    const auto flows = static_cast<std::size_t>(first + kAtOnce - (kPods - kLatePods));
    auto ok = wait_for("a snapshot", 1ms, [&] { return (*pipeline)->flows()->size() == flows; });
    for (int i = first; ok && i < first + kAtOnce; ++i) {
      const auto key = flow_to(i).key;
      if (is_named(**pipeline, key)) return fail(Errc::kInternal, "a flow had its name too early");
      const auto path = integration::pod_path(i) + "/status";
      const auto begin = Clock::now();  // earlier than the address can be seen by anybody
      connection.call("PATCH", path, integration::running_at(integration::pod_ip(i)));
      ok = wait_for("the name of a flow", 1ms, [&] { return is_named(**pipeline, key); });
      ms.push_back(since(begin) * 1e3);
    }
    if (!ok) return ok;
  }
  report.add({"kube.ms_to_name_a_new_pod_p50", median(ms), "ms"});
  report.add({"kube.ms_to_name_a_new_pod_p99", quantile(ms, 0.99), "ms", kBarNameMs});
  return {};
}

Result<void> measure(Report& report) {
  const integration::KubeApi api;
  integration::make_pods(api, 0, kPods - kLatePods, true, kBallast);
  integration::make_pods(api, kPods - kLatePods, kPods, false, kBallast);
  const auto listed = api.call("GET", "/api/v1/pods").body.size();
  const auto access = k8s::find_access({.kubeconfig = api.kubeconfig()});
  if (!access) return std::unexpected(access.error());

  KubeStore store({.max_pods = kPods, .node = "node-1"});
  const auto cpu = process_cpu_s();
  const auto begin = Clock::now();
  auto watcher = k8s::Watcher::start(*access, {}, store);
  if (!watcher) return std::unexpected(watcher.error());
  if (auto ok = wait_for("the first sync", 10ms, [&] { return (*watcher)->synced(); }); !ok) {
    return ok;
  }
  if (store.counts().pods != kPods) return fail(Errc::kInternal, "the store lacks pods");
  report.add({"kube.bytes_per_listed_pod", static_cast<double>(listed) / kPods, "bytes"});
  report.add({"kube.cpu_s_to_sync_10k_pods", process_cpu_s() - cpu, "s", kBarSyncSeconds});
  report.add({"kube.s_to_sync_10k_pods", since(begin), "s"});
  return measure_names(api, store, report);
}

}  // namespace

Result<void> measure_kube_api(Report& report) {
  if (!integration::KubeApi::is_installed()) {
    fmt::print(
        "bench: no kube-apiserver here, so no figures of one: tests/e2e/kubernetes.sh api makes "
        "it\n");
    return {};
  }
  try {
    return measure(report);
  } catch (const std::exception& e) {
    return fail(Errc::kUnavailable, e.what());
  }
}

}  // namespace orb8::bench
