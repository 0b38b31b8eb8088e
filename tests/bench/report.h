// The figures of a run, each beside what was asked of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace orb8::bench {

struct Figure {
  std::string name;  // "kernel.ns_per_packet.tc_v4"
  double value = 0;
  std::string unit;
  std::optional<double> bar = {};  // none: reported for comparison only
  bool at_least = false;           // which side of the bar is asked for; else at most

  bool met() const { return !bar || (at_least ? value >= *bar : value <= *bar); }
};

class Report {
 public:
  void add(Figure figure);

  // Prints the figures added since the last call, so that a long run shows what it has.
  void print_new();

  // One object: name -> {value, unit, bar, asked, met}; the last three are null where nothing was
  // asked.
  Result<void> write_json(const std::string& path) const;

  std::size_t bars() const;
  std::size_t bars_met() const;

 private:
  std::vector<Figure> figures_;
  std::size_t printed_ = 0;
};

// Of values in any order; p in 0..1, nearest rank. There must be at least one.
double quantile(std::vector<double> values, double p);
double median(std::vector<double> values);

}  // namespace orb8::bench
