// Columns of text that fit a terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace orb8 {

enum class Align : unsigned char { kLeft, kRight };

struct Column {
  std::string header;
  Align align = Align::kLeft;
  std::size_t width = 0;  // at least; it grows with what is in it
  bool shrinks = false;   // its text may be shortened in the middle to fit the terminal
  int leaves = 0;         // where room is short, the column with the highest goes first; 0: stays
};

using Row = std::vector<std::string>;

// Where room is short: first the gaps get narrow, then columns leave, then addresses that are
// longer than an IPv4 one are shortened, then all that may be. At last lines are cut.
class Table {
 public:
  // `terminal_width` 0: not a terminal, as wide as need be.
  Table(std::vector<Column> columns, std::size_t terminal_width)
      : columns_(std::move(columns)), terminal_width_(terminal_width) {}

  void set_terminal_width(std::size_t width);

  // Widens columns to hold the row.
  void measure(const Row& row);

  // Cells are made printable here, whatever is in them.
  std::string header() const;
  std::string line(const Row& row) const;

 private:
  struct Layout {
    std::vector<std::size_t> widths;  // 0: the column is left out
    std::size_t gap = 0;
  };

  const Layout& layout() const;
  Layout fit() const;

  std::vector<Column> columns_;
  std::size_t terminal_width_;
  mutable std::optional<Layout> layout_;
};

}  // namespace orb8
