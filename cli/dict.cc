// SPDX-License-Identifier: Apache-2.0
#include "cli/dict.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr const char* kBetween = "------------";

std::vector<std::string> headers_of(const std::vector<Column>& columns) {
  std::vector<std::string> keys;
  keys.reserve(columns.size());
  for (const auto& column : columns) keys.push_back(column.header);
  return keys;
}

}  // namespace

Dict::Dict(std::vector<std::string> keys, const RenderStyle& style)
    : keys_(std::move(keys)), style_(style) {
  for (const auto& key : keys_) width_ = std::max(width_, key.size());
}

Dict::Dict(const std::vector<Column>& columns, const RenderStyle& style)
    : Dict(headers_of(columns), style) {}

void Dict::render(const Row& row, std::ostream& out) {
  if (!std::exchange(first_, false)) out << style_.painted(kBetween, Paint::kFaint) << '\n';
  for (std::size_t i = 0; i < keys_.size() && i < row.size(); ++i) {
    if (row[i].empty() || row[i] == "-") continue;
    const auto key = std::string(width_ - keys_[i].size(), ' ') + keys_[i] + ":";
    out << style_.painted(key, Paint::kTitle) << ' ' << printable(row[i]) << '\n';
  }
}

}  // namespace orb8
