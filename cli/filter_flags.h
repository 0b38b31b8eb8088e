// The flags that say which flows are wanted, in the words of `hubble observe`.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "orb8/v1/agent.pb.h"

namespace orb8 {

inline constexpr std::string_view kNotFlag = "--not";
inline constexpr std::string_view kOrFlag = "--or";

struct FilterFlag {
  std::string names;  // "-n,--namespace"
  std::string type;   // of its value: "NAME"; empty: it takes none
  std::string about;
  std::string allowed;             // in words
  std::vector<std::string> words;  // good examples
  // Adds the condition; false: the value is not allowed.
  std::function<bool(v1::FlowFilter&, const std::string&)> add;

  std::string name() const;  // "--namespace"
};

// All of them, in the order of the help page; kNotFlag and kOrFlag are not among them.
const std::vector<FilterFlag>& filter_flags();

// A flag as it stood on the command line, with kNotFlag and kOrFlag in their places.
struct GivenFilter {
  std::string flag;
  std::string value;  // empty for a flag that takes none
};

// One filter for each run of flags between two kOrFlag; none where nothing was given. What stands
// behind a kNotFlag must not match. kInvalid names the flag, and what is allowed.
Result<std::vector<v1::FlowFilter>> read_filters(const std::vector<GivenFilter>& given);

}  // namespace orb8
