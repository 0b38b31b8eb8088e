// Columns of text that fit a terminal.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace orb8 {

enum class Align : unsigned char { kLeft, kRight };

struct Column {
  std::string header;
  Align align = Align::kLeft;
  std::size_t width = 0;  // at least; it grows with what is in it
  bool shrinks = false;   // its text may be shortened in the middle to fit the terminal
};

using Row = std::vector<std::string>;

class Table {
 public:
  // `terminal_width` 0: not a terminal, as wide as need be.
  Table(std::vector<Column> columns, std::size_t terminal_width)
      : columns_(std::move(columns)), terminal_width_(terminal_width) {}

  // Widens columns to hold the row.
  void measure(const Row& row);

  std::string header() const;
  std::string line(const Row& row) const;

 private:
  std::vector<std::size_t> fitted_widths() const;
  std::string format(const Row& row) const;

  std::vector<Column> columns_;
  std::size_t terminal_width_;
};

}  // namespace orb8
