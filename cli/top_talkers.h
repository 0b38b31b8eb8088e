// Who moved most, out of a stream of events.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <unordered_map>

#include "cli/render.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

class TopTalkers {
 public:
  static constexpr std::size_t kMostFlows = 100'000;  // kept apart; the others are one sum

  void add(const v1::NetworkEvent& event);

  // A table of the `most` largest with their share, or nothing when nothing moved.
  void render(std::size_t most, const RenderStyle& style, std::ostream& out) const;

 private:
  struct Total {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  struct Talker {
    Total total;
    std::string protocol;
    std::string source;
    std::string destination;
    std::string direction;
  };
  std::unordered_map<std::string, Talker> talkers_;
  Total all_;
};

}  // namespace orb8
