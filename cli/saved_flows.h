// The flows that a saved trace tells of: each once, as it was last told.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/export/wire_request.h"
#include "core/model/event.h"
#include "core/model/flow.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class SavedFlows {
 public:
  // So many are kept, at about 2 KiB each; of those that come after them only their number is.
  explicit SavedFlows(std::size_t most_flows = 100'000) : most_flows_(most_flows) {}

  // A flow that was told before is what it is told to be now. The value is the message's.
  void add(const v1::NetworkFlow& message, const Flow& value);

  // The flow that the event is of, as it was then. Packets add up.
  void add(const v1::NetworkEvent& message, const Event& value);

  // As of the latest moment that was told of.
  v1::QueryFlowsResponse answer(const FlowQuery& query) const;

  std::uint64_t left_out() const { return left_out_; }

 private:
  // The same addresses and ports may come again, as another flow.
  struct Key {
    FlowKey flow;
    std::int64_t first_seen_ns = 0;  // kByPackets: packets do not tell when their flow began

    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return FlowKeyHash{}(key.flow) ^ std::hash<std::int64_t>{}(key.first_seen_ns);
    }
  };
  static constexpr std::int64_t kByPackets = INT64_MIN;

  // Null: a new one that there is no room for.
  v1::NetworkFlow* put(const Key& key, const Flow& value);
  void add_packets(const v1::NetworkEvent& message, const Event& value);
  const v1::NetworkFlow& message_of(const Flow& picked) const;

  std::size_t most_flows_;
  std::uint64_t left_out_ = 0;
  std::int64_t latest_ns_ = 1;  // 0 would say that the agent does not know
  std::unordered_map<Key, std::size_t, KeyHash> places_;
  std::vector<Flow> values_;
  std::vector<v1::NetworkFlow> messages_;                      // of the values
  std::unordered_map<std::uint32_t, std::string> interfaces_;  // of the agent's machine
};

}  // namespace orb8
