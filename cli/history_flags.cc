// SPDX-License-Identifier: Apache-2.0
#include "cli/history_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/flag_values.h"
#include "cli/format.h"
#include "core/config/values.h"

namespace orb8 {
namespace {

// What may become true of a flow, or cease to be, while it lives.
constexpr std::array<std::string_view, 6> kComeTrue = {
    "--min-bytes", "--min-rtt", "--min-retransmits", "--verdict", "--failed", "--tcp-flags"};

class Checker {
 public:
  Checker(const RawOptions& raw, std::int64_t now_ns, CliOptions& options)
      : raw_(raw), now_ns_(now_ns), options_(options) {}

  Result<void> check() {
    for (auto step : {&Checker::read_selectors, &Checker::read_groups, &Checker::check_selectors,
                      &Checker::check_flows, &Checker::check_trace}) {
      if (auto ok = (this->*step)(); !ok) return ok;
    }
    return {};
  }

 private:
  const std::vector<std::string>& given(const std::string& flag) const {
    return raw_.values.at(flag);
  }
  bool is_given(const std::string& flag) const { return !given(flag).empty(); }

  Result<void> read_count(const std::string& flag, std::uint32_t& count) const {
    for (const auto& text : given(flag)) {
      const auto number = parse_unsigned(text);
      if (!number || *number == 0 || *number > UINT32_MAX) return not_allowed(flag, text);
      count = static_cast<std::uint32_t>(*number);
    }
    return {};
  }

  Result<void> read_moment(const std::string& flag, std::optional<TimePoint>& moment) const {
    for (const auto& text : given(flag)) {
      moment = parse_time_point(text, now_ns_);
      if (!moment) return not_allowed(flag, text);
    }
    return {};
  }

  Result<void> read_selectors() {
    auto& selectors = options_.selectors;
    auto ok = read_moment("--since", selectors.since);
    if (ok) ok = read_moment("--until", selectors.until);
    if (ok) ok = read_count("--last", selectors.last);
    if (ok) ok = read_count("--first", selectors.first);
    selectors.all = raw_.all;
    selectors.follow = raw_.follow;
    return ok;
  }

  Result<void> read_groups() {
    for (const auto& word : given("--by")) {
      const auto* by =
          std::ranges::find(kGroupByWords, word, &std::pair<std::string_view, v1::GroupBy>::first);
      if (by == kGroupByWords.end()) return not_allowed("--by", word);
      if (std::ranges::find(options_.group_by, by->second) != options_.group_by.end()) {
        return fail(Errc::kInvalid, fmt::format("--by {} is given twice", word));
      }
      options_.group_by.push_back(by->second);
    }
    for (const auto& text : given("--window")) {
      const auto time = parse_duration(text);
      if (!time) return not_allowed("--window", text);
      options_.window = *time;
    }
    return read_count("--top", options_.limit);
  }

  // The first pair of these that was given together.
  static Result<void> exclude(std::initializer_list<std::pair<const char*, bool>> flags) {
    const char* before = nullptr;
    for (const auto& [flag, is_given] : flags) {
      if (!is_given) continue;
      if (before != nullptr) {
        return fail(Errc::kInvalid, fmt::format("{} and {} exclude each other", before, flag));
      }
      before = flag;
    }
    return {};
  }

  Result<void> check_selectors() {
    const auto& selectors = options_.selectors;
    auto ok = exclude({{"--all", selectors.all},
                       {"--last", selectors.last != 0},
                       {"--first", selectors.first != 0}});
    if (ok) ok = exclude({{"--all", selectors.all}, {"--since", selectors.since.has_value()}});
    if (ok) ok = exclude({{"--all", selectors.all}, {"--until", selectors.until.has_value()}});
    if (!ok) return ok;
    if (!selectors.since || !selectors.until) return {};
    if (selectors.since->at(now_ns_) <= selectors.until->at(now_ns_)) return {};
    return fail(Errc::kInvalid, "--until is before --since: nothing lies between them");
  }

  Result<void> check_flows() {
    if (options_.command != Command::kFlows) return {};
    const auto& selectors = options_.selectors;
    const bool groups = !options_.group_by.empty();
    for (const auto* flag : {"--top", "--window"}) {
      if (is_given(flag) && !groups) {
        return fail(Errc::kInvalid, fmt::format("{} goes with --by, as --by workload", flag));
      }
    }
    for (const auto& [flag, count] :
         {std::pair{"--last", selectors.last}, std::pair{"--first", selectors.first}}) {
      const bool latest = count != 0;
      auto ok = exclude({{flag, latest}, {"--limit", is_given("--limit")}});
      if (ok) ok = exclude({{flag, latest}, {"--sort", is_given("--sort")}});
      if (ok) ok = exclude({{flag, latest}, {"--by", groups}});
      if (!ok) return ok;
    }
    auto ok = exclude({{"--collapse-ports", options_.collapse_ports}, {"--by", groups}});
    if (ok) ok = exclude({{"--limit", is_given("--limit")}, {"--top", is_given("--top")}});
    if (ok) ok = check_window();
    if (ok && (selectors.last != 0 || selectors.first != 0)) {
      options_.limit = std::max(selectors.last, selectors.first);
      options_.sort = v1::SORT_ORDER_LAST_SEEN;
    }
    return ok;
  }

  // Rates are of what happens from now on.
  Result<void> check_window() const {
    const auto& selectors = options_.selectors;
    const bool window = options_.window.has_value();
    const auto timed = [](const std::string& text) { return !text.empty(); };
    const bool interval = std::ranges::any_of(raw_.watch, timed);
    auto ok = exclude({{"--window", window}, {"--since", selectors.since.has_value()}});
    if (ok) ok = exclude({{"--window", window}, {"--until", selectors.until.has_value()}});
    if (ok) ok = exclude({{"--window", window}, {"--all", selectors.all}});
    if (ok) ok = exclude({{"--window", window}, {"the time of --watch", interval}});
    if (!ok || !window) return ok;
    for (const auto& filter : raw_.filters) {
      if (std::ranges::find(kComeTrue, filter.flag) == kComeTrue.end()) continue;
      return fail(Errc::kInvalid,
                  fmt::format("--window and {} exclude each other: a flow that comes to match "
                              "meanwhile would count with all that it ever moved",
                              filter.flag));
    }
    return {};
  }

  Result<void> check_trace() {
    if (options_.command != Command::kTraceNetwork) return {};
    const auto& selectors = options_.selectors;
    if (raw_.packets && selectors.any()) {
      return fail(
          Errc::kInvalid,
          "--packets shows what happens from now on: packets are not remembered, flows are");
    }
    auto ok = exclude({{"--follow", selectors.follow}, {"--until", selectors.until.has_value()}});
    if (ok) ok = exclude({{"--follow", selectors.follow}, {"--first", selectors.first != 0}});
    return ok;
  }

  const RawOptions& raw_;
  std::int64_t now_ns_;
  CliOptions& options_;
};

}  // namespace

Result<void> read_history_flags(const RawOptions& raw, std::int64_t now_ns, CliOptions& options) {
  return Checker(raw, now_ns, options).check();
}

}  // namespace orb8
