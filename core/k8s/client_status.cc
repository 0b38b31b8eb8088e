// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/client_status.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace orb8::k8s {

// Whether a text is said for the first time in a while. What goes on is never fresh: the longest
// pause between two tries is shorter.
bool ClientStatus::fresh(const std::string& text) {
  constexpr std::chrono::minutes kForgotten(10);
  const auto now = Clock::now();
  std::erase_if(said_, [&](const auto& entry) { return now - entry.second > kForgotten; });
  const bool added = said_.insert_or_assign(text, now).second;
  constexpr std::size_t kMostTexts = 64;
  if (said_.size() > kMostTexts) {
    said_.erase(
        std::ranges::min_element(said_, {}, [](const auto& entry) { return entry.second; }));
  }
  return added;
}

void ClientStatus::failed(Kind kind, const std::string& problem) {
  const std::scoped_lock lock(mutex_);
  ++counters_.failed_requests;
  states_[index_of(kind)].problem = problem;
  if (fresh(problem)) spdlog::warn("Kubernetes: {}", problem);
}

void ClientStatus::works(Kind kind) {
  const std::scoped_lock lock(mutex_);
  auto& problem = states_[index_of(kind)].problem;
  if (problem.empty()) return;
  problem.clear();
  const bool all = std::ranges::all_of(states_, [](const State& s) { return s.problem.empty(); });
  if (all && fresh("works again")) spdlog::info("Kubernetes: the API server answers again");
}

void ClientStatus::listed(Kind kind) {
  const std::scoped_lock lock(mutex_);
  states_[index_of(kind)].listed = true;
}

void ClientStatus::count(std::uint64_t WatchCounters::* counter, std::uint64_t by) {
  const std::scoped_lock lock(mutex_);
  counters_.*counter += by;
}

Component ClientStatus::component() const {
  const std::scoped_lock lock(mutex_);
  for (const auto& state : states_) {
    if (!state.problem.empty()) {
      return {.name = "kubernetes", .healthy = false, .reason = state.problem};
    }
  }
  for (const auto kind : kKinds) {
    if (!states_[index_of(kind)].listed) {
      return {.name = "kubernetes",
              .healthy = false,
              .reason = "the first list of " + std::string(resource_of(kind)) + " is not in yet"};
    }
  }
  return {.name = "kubernetes", .healthy = true, .reason = ""};
}

WatchCounters ClientStatus::counters() const {
  const std::scoped_lock lock(mutex_);
  return counters_;
}

bool ClientStatus::synced() const {
  const std::scoped_lock lock(mutex_);
  return std::ranges::all_of(states_, &State::listed);
}

}  // namespace orb8::k8s
