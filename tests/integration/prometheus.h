// A real Prometheus that scrapes what it is told to, and answers queries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/temp_folder.h"
#include "tests/integration/process.h"

namespace orb8::integration {

// On a port of loopback that was free, in the calling thread's network namespace; stopped, and its
// data removed, at the end. Throws where something cannot be started or asked.
class Prometheus {
 public:
  // Programs as `prometheus` and `promtool`, by their whole path; empty: not installed.
  static std::string program(const std::string& name);
  static bool is_installed();

  // Scrapes each of `targets` (HOST:PORT) once a second.
  explicit Prometheus(const std::vector<std::string>& targets);

  struct Sample {
    std::map<std::string, std::string> labels;  // with __name__, where the query keeps it
    double value = 0;
  };
  // What the query, which gives an instant vector or a number, finds now.
  std::vector<Sample> query(const std::string& promql) const;
  // The sum of that; 0 where there is nothing.
  double sum(const std::string& promql) const;
  // What Grafana's label_values(selector, label) is.
  std::vector<std::string> label_values(const std::string& selector,
                                        const std::string& label) const;

  // Whether that sum comes to `value`, exactly, before the patience is over.
  bool comes_to(const std::string& promql, double value,
                std::chrono::milliseconds patience = kPatience) const;

 private:
  std::string get(const std::string& path) const;

  TempFolder folder_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace orb8::integration
