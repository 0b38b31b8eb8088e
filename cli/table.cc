// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>

#include "cli/format.h"

namespace orb8 {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowGap = 1;
constexpr std::size_t kV4Endpoint = 21;  // "255.255.255.255:65535"
constexpr std::size_t kLeast = 9;        // what a shortened address needs to be told from another

}  // namespace

void Table::set_terminal_width(std::size_t width) {
  if (width == terminal_width_) return;
  terminal_width_ = width;
  layout_.reset();
}

void Table::measure(const Row& row) {
  for (std::size_t i = 0; i < columns_.size() && i < row.size(); ++i) {
    const auto width = display_width(printable(row[i]));
    if (width <= columns_[i].width) continue;
    columns_[i].width = width;
    layout_.reset();
  }
}

const Table::Layout& Table::layout() const {
  if (!layout_) layout_ = fit();
  return *layout_;
}

Table::Layout Table::fit() const {
  Layout layout{.widths = {}, .gap = kGap};
  for (const auto& column : columns_) {
    layout.widths.push_back(std::max(column.width, column.header.size()));
  }
  // What the line needs when long addresses are not given more than `most`.
  const auto needed = [&](std::size_t most) {
    std::size_t total = 0;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (layout.widths[i] == 0) continue;
      total += (total > 0 ? layout.gap : 0) +
               (columns_[i].shrinks ? std::min(layout.widths[i], most) : layout.widths[i]);
    }
    return total;
  };
  if (terminal_width_ == 0 || needed(SIZE_MAX) <= terminal_width_) return layout;

  if (needed(kV4Endpoint) > terminal_width_) layout.gap = kNarrowGap;
  while (needed(kV4Endpoint) > terminal_width_) {
    std::size_t next = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (layout.widths[i] == 0 || columns_[i].leaves == 0) continue;
      if (next == columns_.size() || columns_[i].leaves > columns_[next].leaves) next = i;
    }
    if (next == columns_.size()) break;
    layout.widths[next] = 0;
  }
  // Takes from the widest that may shrink, one by one: long addresses give before short ones.
  for (auto total = needed(SIZE_MAX); total > terminal_width_; --total) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].shrinks || layout.widths[i] <= kLeast) continue;
      if (widest == columns_.size() || layout.widths[i] > layout.widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --layout.widths[widest];
  }
  return layout;
}

std::string Table::header() const {
  Row headers;
  for (const auto& column : columns_) headers.push_back(column.header);
  return line(headers);
}

std::string Table::line(const Row& row) const {
  const auto& [widths, gap] = layout();
  std::string text;
  bool first = true;
  for (std::size_t i = 0; i < columns_.size() && i < row.size(); ++i) {
    if (widths[i] == 0) continue;
    auto cell = printable(row[i]);
    if (columns_[i].shrinks) cell = shorten_middle(cell, widths[i]);
    const auto width = display_width(cell);
    const std::string pad(width < widths[i] ? widths[i] - width : 0, ' ');
    if (!first) text.append(gap, ' ');
    first = false;
    text += columns_[i].align == Align::kRight ? pad + cell : cell + pad;
  }
  while (text.ends_with(' ')) text.pop_back();
  return terminal_width_ == 0 ? text : cut(text, terminal_width_);
}

}  // namespace orb8
