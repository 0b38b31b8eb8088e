// A Kubernetes label selector: "app=web,tier in (a, b),!canary".
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orb8 {

// As kubectl's -l takes it (k8s.io/apimachinery/pkg/labels): requirements separated by commas, all
// of which must hold: KEY, !KEY, KEY=VALUE, KEY==VALUE, KEY!=VALUE, KEY in (V, ...), KEY notin (V,
// ...), KEY>NUMBER, KEY<NUMBER. What says "not" also holds where there is no such label.
class LabelSelector {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by key

  // Absent for what is no selector. An empty text selects everything, as in kubectl.
  static std::optional<LabelSelector> parse(std::string_view text);

  bool matches(const Labels& labels) const;

 private:
  enum class Operator : std::uint8_t { kExists, kAbsent, kIn, kNotIn, kGreater, kLess };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;
    std::int64_t number = 0;  // of kGreater and kLess
  };
  class Reader;

  static bool holds(const Requirement& requirement, const Labels& labels);

  std::vector<Requirement> requirements_;
};

}  // namespace orb8
