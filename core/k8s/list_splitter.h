// A list of the API, cut into its items while it arrives: however many there are, one is held.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace orb8::k8s {

class ListSplitter {
 public:
  // The item may be changed and its capacity used.
  using OnItem = std::function<void(std::string& item)>;

  explicit ListSplitter(std::size_t max_item_bytes) : max_bytes_(max_item_bytes) {}

  // Calls for each object of the array `items` that is whole now. Too long ones are counted in
  // too_long(). False: this is no list.
  bool feed(std::string_view part, const OnItem& on_item);

  // The outermost brace has been closed.
  bool complete() const { return begun_ && depth_ == 0 && !broken_; }

  // All but the items: {"kind":"PodList","metadata":{...},"items":[]}.
  std::string& head() { return head_; }

  std::uint64_t too_long() const { return too_long_; }

 private:
  // Takes bytes that lie where the state says: in an item, between items, or else.
  void keep(std::string_view bytes);
  // A bracket at `at`, outside of strings; from `kept` on nothing has been taken yet.
  void open(std::string_view part, std::size_t at, std::size_t& kept);
  void shut(std::string_view part, std::size_t at, std::size_t& kept, const OnItem& on_item);
  void end_item(const OnItem& on_item);
  bool after_items_key() const;
  bool in_item() const { return in_items_ && depth_ >= 3; }

  std::size_t max_bytes_;
  std::string head_;
  std::string item_;
  std::uint64_t depth_ = 0;  // open brackets; an item's own is the third
  bool begun_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  bool in_items_ = false;
  bool skipping_ = false;  // the item is too long
  bool broken_ = false;
  std::uint64_t too_long_ = 0;
};

}  // namespace orb8::k8s
