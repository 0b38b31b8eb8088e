// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/late_flows.h"

namespace orb8 {

void LateFlows::add(const FlowKey& key, std::int64_t now_ns) {
  if (flows_.size() >= most_) flows_.pop_front();
  flows_.push_back({.key = key, .until_ns = now_ns + kPatienceNs});
}

void LateFlows::retry(std::int64_t now_ns,
                      const std::function<bool(const FlowKey&)>& still_nameless) {
  expire(now_ns);
  std::erase_if(flows_, [&](const Late& late) { return !still_nameless(late.key); });
}

void LateFlows::expire(std::int64_t now_ns) {
  while (!flows_.empty() && flows_.front().until_ns <= now_ns) flows_.pop_front();
}

}  // namespace orb8
