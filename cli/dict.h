// A row of a table as KEY: VALUE lines, for one that is looked at by itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "cli/render_style.h"
#include "cli/table.h"

namespace orb8 {

// Keys are a table's headers, to the right in one column, so that the blocks of one answer line up.
// A cell that says nothing, "-", has no line; values are made printable here. Blocks but the first
// have a line of dashes above them.
class Dict {
 public:
  Dict(std::vector<std::string> keys, const RenderStyle& style);
  Dict(const std::vector<Column>& columns, const RenderStyle& style);

  void render(const Row& row, std::ostream& out);

 private:
  std::vector<std::string> keys_;
  RenderStyle style_;
  std::size_t width_ = 0;
  bool first_ = true;
};

}  // namespace orb8
