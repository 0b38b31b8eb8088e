// SPDX-License-Identifier: Apache-2.0
#include "cli/render_style.h"

#include <array>

namespace orb8 {
namespace {

constexpr std::size_t kRoomy = 100;  // columns
constexpr const char* kReset = "\x1b[0m";
// Nothing, green, red, faint, bold.
constexpr std::array kSequences = {"", "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[1m"};

}  // namespace

bool RenderStyle::is_json() const {
  return output == OutputFormat::kJson || output == OutputFormat::kJsonpb;
}

bool RenderStyle::is_table() const {
  return output == OutputFormat::kTable || output == OutputFormat::kWide;
}

bool RenderStyle::has_all() const {
  return output == OutputFormat::kWide || output == OutputFormat::kDict;
}

bool RenderStyle::has_rates() const {
  return is_table() || output == OutputFormat::kDict;
}

std::size_t RenderStyle::table_width() const {
  return has_all() ? 0 : terminal_width;
}

std::string RenderStyle::time(std::int64_t unix_ns) const {
  return time_text(unix_ns, time_format);
}

Sides RenderStyle::sides() const {
  return numeric || has_all() ? Sides::kAddresses : Sides::kNames;
}

std::string RenderStyle::direction(const std::string& word) const {
  if (table_width() == 0 || table_width() >= kRoomy) return word;
  if (word == "ingress") return "in";
  return word == "egress" ? "out" : word;
}

std::string RenderStyle::painted(const std::string& text, Paint paint) const {
  if (!color || paint == Paint::kNone) return text;
  return kSequences.at(static_cast<std::size_t>(paint)) + text + kReset;
}

}  // namespace orb8
