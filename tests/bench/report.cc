// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace orb8::bench {
namespace {

// Counts in full, all else to what the measurement carries.
std::string number(double value) {
  if (std::abs(value) >= 1000 || value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

double rounded(double value) {
  return std::round(value * 10'000) / 10'000;
}

}  // namespace

void Report::add(Figure figure) {
  figures_.push_back(std::move(figure));
}

void Report::print_new() {
  constexpr auto kRow = "{:<44} {:>12} {:<10} {:>9}  {}\n";
  if (printed_ == 0) fmt::print(kRow, "figure", "value", "unit", "bar", "");
  for (; printed_ < figures_.size(); ++printed_) {
    const auto& figure = figures_[printed_];
    const auto* verdict = !figure.bar ? "" : figure.met() ? "met" : "NOT met";
    fmt::print(kRow, figure.name, number(figure.value), figure.unit,
               figure.bar ? (figure.at_least ? ">= " : "<= ") + number(*figure.bar) : "", verdict);
  }
  std::fflush(stdout);
}

Result<void> Report::write_json(const std::string& path) const {
  auto all = nlohmann::ordered_json::object();
  for (const auto& figure : figures_) {
    auto& entry = all[figure.name];
    entry["value"] = rounded(figure.value);
    entry["unit"] = figure.unit;
    entry["bar"] = nullptr;
    entry["asked"] = nullptr;
    entry["met"] = nullptr;
    if (!figure.bar) continue;
    entry["bar"] = *figure.bar;
    entry["asked"] = figure.at_least ? "at least" : "at most";
    entry["met"] = figure.met();
  }
  std::ofstream file(path);
  file << all.dump(2) << '\n';
  file.flush();
  if (!file) return sys_error(errno, "write " + path);
  return {};
}

std::size_t Report::bars() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(figures_, [](const Figure& f) { return f.bar.has_value(); }));
}

std::size_t Report::bars_met() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(figures_, [](const Figure& f) { return f.bar && f.met(); }));
}

double quantile(std::vector<double> values, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size())));
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank > 0 ? rank - 1 : 0);
  std::ranges::nth_element(values, at);
  return *at;
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

}  // namespace orb8::bench
