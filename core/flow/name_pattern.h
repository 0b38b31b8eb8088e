// Names as a filter writes them: whole, or what they begin with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace orb8 {

// "web-0", or "web-*" for every name that begins with "web-". Nothing matches the empty name, which
// stands for what is not known.
struct NamePattern {
  std::string text;  // without the star
  bool prefix = false;

  bool matches(std::string_view name) const noexcept;
  bool operator==(const NamePattern&) const = default;
};

// "[NAMESPACE/]NAME": of each, a pattern. Without a namespace, of any.
struct ScopedPattern {
  NamePattern name;
  std::optional<NamePattern> name_space = {};

  bool matches(std::string_view in, std::string_view named) const noexcept;
  bool operator==(const ScopedPattern&) const = default;
};

// "[KIND/]NAME": the kind in full, or kubectl's short name for it, in any case.
struct WorkloadPattern {
  NamePattern name;
  std::string kind = {};  // in lower case; empty: any

  bool matches(std::string_view of_kind, std::string_view named) const noexcept;
  bool operator==(const WorkloadPattern&) const = default;
};

// Absent where the text is empty, or has a star anywhere but at its end.
std::optional<NamePattern> parse_name_pattern(std::string_view text);
// Of "shop/" each name in the namespace.
std::optional<ScopedPattern> parse_scoped_pattern(std::string_view text);
std::optional<WorkloadPattern> parse_workload_pattern(std::string_view text);

}  // namespace orb8
