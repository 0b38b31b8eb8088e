// SPDX-License-Identifier: Apache-2.0
#include "core/identity/workload.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace orb8 {
namespace {

std::string_view label(const k8s::Pod& pod, std::string_view key) {
  const auto found = std::ranges::find(pod.labels, key, &k8s::Labels::value_type::first);
  return found == pod.labels.end() ? std::string_view() : std::string_view(found->second);
}

// What stands before "-<suffix>"; absent where that is not the end, or nothing is before it.
std::optional<std::string> stem(std::string_view name, std::string_view suffix) {
  if (suffix.empty() || name.size() < suffix.size() + 2 || !name.ends_with(suffix)) return {};
  name.remove_suffix(suffix.size());
  if (name.back() != '-') return {};
  name.remove_suffix(1);
  return std::string(name);
}

// Whoever makes several of `controller` per object writes its own name on the pods.
struct LabelRule {
  std::string_view controller;
  std::string_view label;
  std::string_view kind;
};
constexpr std::array kLabelRules = {
    LabelRule{"Job", "jobset.sigs.k8s.io/jobset-name", "JobSet"},
    LabelRule{"StatefulSet", "leaderworkerset.sigs.k8s.io/name", "LeaderWorkerSet"},
    LabelRule{"Pod", "leaderworkerset.sigs.k8s.io/name", "LeaderWorkerSet"},
};

// The hash of the pod template, which the name of a ReplicaSet ends with.
struct HashRule {
  std::string_view label;
  std::string_view kind;
};
constexpr std::array kHashRules = {
    HashRule{"pod-template-hash", "Deployment"},
    HashRule{"rollouts-pod-template-hash", "Rollout"},
};

// Times since 1970: in minutes from 2019 to 2039, as a CronJob names its Jobs, and in seconds from
// 2017 to 2033, as it did up to Kubernetes 1.20. Days and hours written as 20240115 or 2024011508
// are neither.
bool is_time_of_run(std::uint64_t number) {
  const bool minutes = number >= 25'800'000 && number <= 36'800'000;
  const bool seconds = number >= 1'500'000'000 && number < 2'000'000'000;
  return minutes || seconds;
}

// "<cronjob>-<time of the run>". A pod does not tell the owner of its Job, so a Job with such a
// number that somebody else has named, "report-28022024" say, is taken for a CronJob's.
std::optional<std::string> cron_job_of(std::string_view job) {
  const auto dash = job.rfind('-');
  if (dash == std::string_view::npos) return {};
  const auto text = job.substr(dash + 1);
  std::uint64_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.starts_with('0') || error != std::errc() || at != text.data() + text.size()) return {};
  if (!is_time_of_run(number)) return {};
  return stem(job, text);
}

}  // namespace

Workload workload_of(const k8s::Pod& pod) {
  const auto& [kind, name] = pod.controller;
  if (kind.empty()) return {"Pod", pod.name};
  // The kubelet's mirror of a static pod, whose name is made longer by the node's.
  if (kind == "Node") return {"StaticPod", stem(pod.name, name).value_or(pod.name)};
  for (const auto& rule : kLabelRules) {
    if (kind != rule.controller) continue;
    if (const auto owner = label(pod, rule.label); !owner.empty()) {
      return {std::string(rule.kind), std::string(owner)};
    }
  }
  if (kind == "ReplicaSet") {
    for (const auto& rule : kHashRules) {
      if (auto owner = stem(name, label(pod, rule.label))) return {std::string(rule.kind), *owner};
    }
  }
  if (kind == "Job") {
    if (auto owner = cron_job_of(name)) return {"CronJob", *owner};
  }
  return {kind, name};
}

}  // namespace orb8
