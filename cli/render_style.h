// How text looks: format, colour, width.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cli/flow_text.h"
#include "cli/options.h"
#include "cli/time_format.h"

namespace orb8 {

enum class Paint : unsigned char { kNone, kGood, kBad, kFaint, kTitle };

struct RenderStyle {
  OutputFormat output = OutputFormat::kTable;
  bool color = false;
  std::size_t terminal_width = 0;  // 0: not a terminal
  TimeFormat time_format = TimeFormat::kClock;
  bool failures = false;  // failed connections are shown, with the reason
  bool numeric = false;   // addresses, and no names

  bool is_json() const;    // for programs: nothing but objects, and never coloured
  bool is_table() const;   // with a header, and a footer
  bool has_all() const;    // all columns: names have their own there, and sides are addresses
  bool has_rates() const;  // of flows, for which those seen before have to be known

  // What a table has to fit: 0, nothing, for one that was asked to be wide.
  std::size_t table_width() const;

  std::string time(std::int64_t unix_ns) const;
  Sides sides() const;

  // "ingress", "egress"; "in" and "out" where a line has little room.
  std::string direction(const std::string& word) const;

  // The text between ECMA-48 colour sequences, where colour is wanted.
  std::string painted(const std::string& text, Paint paint) const;
};

}  // namespace orb8
