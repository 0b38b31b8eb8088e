// SPDX-License-Identifier: Apache-2.0
#include "core/k8s/list_splitter.h"

#include <utility>

namespace orb8::k8s {
namespace {

constexpr std::size_t kMaxHeadBytes = 1U << 20U;
constexpr std::size_t kKeptBytes = 1U << 20U;  // a longer item's memory is given back
constexpr std::string_view kSpace = " \t\r\n";

std::string_view without_space_at_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

}  // namespace

void ListSplitter::keep(std::string_view bytes) {
  if (!in_items_) {
    broken_ |= bytes.size() > kMaxHeadBytes - head_.size();
    if (!broken_) head_ += bytes;
    return;
  }
  if (!in_item() || skipping_) return;
  if (bytes.size() > max_bytes_ - item_.size()) {
    skipping_ = true;
    ++too_long_;
    item_ = std::string();
    return;
  }
  item_ += bytes;
}

bool ListSplitter::after_items_key() const {
  auto text = without_space_at_end(head_);
  if (!text.ends_with(':')) return false;
  text.remove_suffix(1);
  return without_space_at_end(text).ends_with("\"items\"");
}

void ListSplitter::open(std::string_view part, std::size_t at, std::size_t& kept) {
  keep(part.substr(kept, at - kept));
  kept = at;
  begun_ = true;
  ++depth_;
  if (depth_ == 2 && !in_items_ && part[at] == '[' && after_items_key()) {
    keep("[");
    kept = at + 1;
    in_items_ = true;
  }
}

void ListSplitter::end_item(const OnItem& on_item) {
  if (!skipping_) on_item(item_);
  skipping_ = false;
  if (item_.capacity() > kKeptBytes) item_ = std::string();
  item_.clear();
}

void ListSplitter::shut(std::string_view part, std::size_t at, std::size_t& kept,
                        const OnItem& on_item) {
  if (depth_ == 0) {
    broken_ = true;
    return;
  }
  const bool item_ends = in_items_ && depth_ == 3;
  const bool items_end = in_items_ && depth_ == 2;
  // The bracket that closes `items` belongs to the head, all others to where they stand.
  const auto end = items_end ? at : at + 1;
  keep(part.substr(kept, end - kept));
  kept = end;
  if (items_end) in_items_ = false;
  --depth_;
  if (item_ends) end_item(on_item);
}

bool ListSplitter::feed(std::string_view part, const OnItem& on_item) {
  std::size_t kept = 0;
  for (std::size_t at = 0; at < part.size() && !broken_; ++at) {
    const char c = part[at];
    if (in_string_) {
      const bool was_escaped = std::exchange(escaped_, false);
      if (was_escaped) continue;
      escaped_ = c == '\\';
      in_string_ = c != '"';
    } else if (c == '{' || c == '[') {
      broken_ |= complete();  // a second value
      open(part, at, kept);
    } else if (c == '}' || c == ']') {
      shut(part, at, kept, on_item);
    } else if (depth_ == 0) {
      broken_ |= !kSpace.contains(c);
    } else {
      in_string_ = c == '"';
    }
  }
  if (!broken_) keep(part.substr(kept));
  return !broken_;
}

}  // namespace orb8::k8s
