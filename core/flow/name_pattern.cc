// SPDX-License-Identifier: Apache-2.0
#include "core/flow/name_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

namespace orb8 {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

// As `kubectl api-resources` has them, of what runs pods.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kShortKinds = {
    {{"deploy", "deployment"},
     {"sts", "statefulset"},
     {"ds", "daemonset"},
     {"rs", "replicaset"},
     {"cj", "cronjob"},
     {"po", "pod"}}};

std::string kind_of(std::string_view text) {
  const auto kind = lower(text);
  const auto* found =
      std::ranges::find(kShortKinds, kind, &std::pair<std::string_view, std::string_view>::first);
  return found == kShortKinds.end() ? kind : std::string(found->second);
}

struct Halves {
  std::optional<std::string_view> before;  // absent: there is no slash
  std::string_view after;
};

std::optional<Halves> at_slash(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return Halves{.before = {}, .after = text};
  if (text.find('/', slash + 1) != std::string_view::npos) return std::nullopt;
  const auto after = text.substr(slash + 1);
  return Halves{.before = text.substr(0, slash), .after = after.empty() ? "*" : after};
}

}  // namespace

bool NamePattern::matches(std::string_view name) const noexcept {
  return !name.empty() && (prefix ? name.starts_with(text) : name == text);
}

bool ScopedPattern::matches(std::string_view in, std::string_view named) const noexcept {
  return name.matches(named) && (!name_space || name_space->matches(in));
}

bool WorkloadPattern::matches(std::string_view of_kind, std::string_view named) const noexcept {
  return name.matches(named) &&
         (kind.empty() ||
          std::ranges::equal(kind, of_kind, {}, {}, [](char c) { return lower(c); }));
}

std::optional<NamePattern> parse_name_pattern(std::string_view text) {
  const auto star = text.find('*');
  if (text.empty() || star < text.size() - 1) return std::nullopt;
  return NamePattern{.text = std::string(text.substr(0, star)),
                     .prefix = star != std::string_view::npos};
}

std::optional<ScopedPattern> parse_scoped_pattern(std::string_view text) {
  const auto halves = at_slash(text);
  if (!halves) return std::nullopt;
  const auto name = parse_name_pattern(halves->after);
  if (!name) return std::nullopt;
  ScopedPattern pattern{.name = *name};
  if (!halves->before) return pattern;
  pattern.name_space = parse_name_pattern(*halves->before);
  if (!pattern.name_space) return std::nullopt;
  return pattern;
}

std::optional<WorkloadPattern> parse_workload_pattern(std::string_view text) {
  const auto halves = at_slash(text);
  if (!halves) return std::nullopt;
  const auto name = parse_name_pattern(halves->after);
  if (!name) return std::nullopt;
  WorkloadPattern pattern{.name = *name};
  if (!halves->before) return pattern;
  pattern.kind = kind_of(*halves->before);
  if (pattern.kind.empty() || pattern.kind.find('*') != std::string::npos) return std::nullopt;
  return pattern;
}

}  // namespace orb8
