// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/line_splitter.h"

namespace orb8::k8s {
namespace {

constexpr std::size_t kKeptBytes = 1U << 20U;  // a longer line's memory is given back

}  // namespace

void LineSplitter::add(std::string_view part) {
  if (skipping_) return;
  if (part.size() > max_bytes_ - line_.size()) {
    skipping_ = true;
    ++too_long_;
    line_ = std::string();
    return;
  }
  line_ += part;
}

bool LineSplitter::end_line(const OnLine& on_line) {
  const bool more = skipping_ || line_.empty() || on_line(line_);
  skipping_ = false;
  if (line_.capacity() > kKeptBytes) line_ = std::string();
  line_.clear();
  return more;
}

bool LineSplitter::feed(std::string_view part, const OnLine& on_line) {
  for (;;) {
    const auto end = part.find('\n');
    add(part.substr(0, end));
    if (end == std::string_view::npos) return true;
    if (!end_line(on_line)) return false;
    part.remove_prefix(end + 1);
  }
}

bool LineSplitter::finish(const OnLine& on_line) {
  return end_line(on_line);
}

}  // namespace orb8::k8s
