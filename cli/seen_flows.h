// The flows that a trace has shown so far: for rates while it runs, and for the top talkers at its
// end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/flow_text.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class SeenFlows {
 public:
  struct Talker {
    std::string protocol;
    std::string source;
    std::string destination;
    std::string direction;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::int64_t last_ns = 0;
  };

  // `most_flows` are kept apart; what others move is in total() alone.
  explicit SeenFlows(std::size_t most_flows = 100'000, Sides sides = Sides::kNames)
      : most_flows_(most_flows), sides_(sides) {}

  // Adds what the event moved. The seconds that it tells of: since the flow's event before, of a
  // flow that ends its whole life. 0: too short to say how fast it was.
  double add(const v1::NetworkEvent& event);

  // The `most` that moved most bytes, largest first.
  std::vector<Talker> top(std::size_t most) const;

  const Talker& total() const { return total_; }
  std::size_t size() const { return talkers_.size(); }

 private:
  std::size_t most_flows_;
  Sides sides_;
  std::unordered_map<std::string, Talker> talkers_;
  Talker total_;
};

}  // namespace orb8
