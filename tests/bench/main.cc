// What orb8 costs and what it keeps up with, against the bars that it was given.
// usage: orb8_bench [part...]     all parts but soak when none is named; needs root
// SPDX-License-Identifier: Apache-2.0
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "tests/bench/parts.h"
#include "tests/bench/report.h"
#include "tests/bpf_stats.h"

namespace orb8::bench {
namespace {

constexpr int kBadUsage = 2;
constexpr auto kJson = "build/bench.json";

struct Part {
  std::string_view name;
  Result<void> (*measure)(Report&);
  bool by_default = true;  // when none is named
};

constexpr std::array kParts = {
    Part{"kernel", measure_kernel},   Part{"flood", measure_flood},
    Part{"agent", measure_agent},     Part{"snapshot", measure_snapshot},
    Part{"churn", measure_churn},     Part{"throughput", measure_throughput},
    Part{"memory", measure_memory},   Part{"kube", measure_kube},
    Part{"filter", measure_filter},   Part{"json", measure_json},
    Part{"metrics", measure_metrics}, Part{"soak", measure_soak, false},
};

bool is_part(std::string_view name) {
  return std::ranges::find(kParts, name, &Part::name) != kParts.end();
}

// What the figures depend on most. A load well above 0 says that they are worth little.
void describe_machine(Report& report) {
  utsname system = {};
  ::uname(&system);
  fmt::print("bench: Linux {} {}\n", system.release, system.machine);
  report.add({"machine.cpus", static_cast<double>(std::thread::hardware_concurrency()), "CPUs"});
  double load = 0;
  if (::getloadavg(&load, 1) == 1) report.add({"machine.load_at_start", load, "tasks"});
}

int run(std::span<char*> wanted) {
  for (const std::string_view name : wanted) {
    if (is_part(name)) continue;
    std::string allowed;
    for (const auto& part : kParts) allowed += " " + std::string(part.name);
    fmt::print(stderr, "bench: there is no part {}; there are:{}\n", name, allowed);
    return kBadUsage;
  }
  spdlog::set_level(spdlog::level::warn);
  const BpfStats no_stats(false);  // they would be half of what a program at an event costs
  Report report;
  describe_machine(report);
  int failed = 0;
  for (const auto& [name, measure, by_default] : kParts) {
    const bool named = std::ranges::find(wanted, name) != wanted.end();
    if (!named && (!wanted.empty() || !by_default)) continue;
    const auto ok = measure(report);
    report.print_new();
    if (ok) continue;
    ++failed;
    fmt::print(stderr, "bench: {}: {}\n", name, ok.error().what);
  }
  const char* elsewhere = std::getenv("ORB8_BENCH_JSON");
  const std::string json = elsewhere ? elsewhere : kJson;
  if (auto ok = report.write_json(json); !ok) {
    fmt::print(stderr, "bench: {}\n", ok.error().what);
    return 1;
  }
  fmt::print("bench: {} of {} bars met, figures in {}\n", report.bars_met(), report.bars(), json);
  // A bar missed is a figure; by a soak it is a failure.
  const bool soaked = std::ranges::find(wanted, std::string_view("soak")) != wanted.end();
  if (soaked && report.bars_met() < report.bars()) return 1;
  return failed > 0 ? 1 : 0;
}

}  // namespace
}  // namespace orb8::bench

// NOLINTNEXTLINE(bugprone-exception-escape): a measurement that throws has failed, loudly
int main(int argc, char** argv) {
  return orb8::bench::run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
