// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeast = 9;  // what a shortened address still needs to be told from another

}  // namespace

void Table::measure(const Row& row) {
  for (std::size_t i = 0; i < columns_.size() && i < row.size(); ++i) {
    columns_[i].width = std::max(columns_[i].width, display_width(row[i]));
  }
}

std::vector<std::size_t> Table::fitted_widths() const {
  std::vector<std::size_t> widths;
  std::size_t total = 0;
  for (const auto& column : columns_) {
    widths.push_back(std::max(column.width, column.header.size()));
    total += widths.back() + (widths.size() > 1 ? kGap : 0);
  }
  // Takes from the widest that may shrink, one by one: long addresses give before short ones.
  while (terminal_width_ != 0 && total > terminal_width_) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].shrinks || widths[i] <= kLeast) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::format(const Row& row) const {
  const auto widths = fitted_widths();
  std::string text;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto cell = columns_[i].shrinks ? shorten_middle(row[i], widths[i]) : row[i];
    const auto width = display_width(cell);
    const std::string pad(width < widths[i] ? widths[i] - width : 0, ' ');
    if (i > 0) text.append(kGap, ' ');
    text += columns_[i].align == Align::kRight ? pad + cell : cell + pad;
  }
  while (text.ends_with(' ')) text.pop_back();
  if (terminal_width_ == 0 || display_width(text) <= terminal_width_) return text;
  // Narrower than what the columns need: cut, rather than break the line.
  std::size_t end = text.size();
  while (display_width(std::string_view(text).substr(0, end)) > terminal_width_) --end;
  return text.substr(0, end);
}

std::string Table::header() const {
  Row headers;
  for (const auto& column : columns_) headers.push_back(column.header);
  return format(headers);
}

std::string Table::line(const Row& row) const {
  return format(row);
}

}  // namespace orb8
