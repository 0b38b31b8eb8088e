// By address: one flat table, since every flow asks it twice and each step to another place in
// memory costs more than all the rest.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/model/addr.h"

namespace orb8 {

// Open addressing with linear probing, at most half full. A value that is null or 0 is none. For
// one thread at a time.
template <class Value>
class AddrTable {
 public:
  // Null: nobody has it. Valid until the next change.
  const Value* find(const Addr& addr) const {
    if (size_ == 0) return nullptr;
    for (auto at = home(addr);; at = next(at)) {
      if (!slots_[at].value) return nullptr;
      if (slots_[at].addr == addr) return &slots_[at].value;
    }
  }

  void set(const Addr& addr, Value value) {
    if (!value) return erase(addr);
    if (2 * (size_ + 1) > slots_.size()) grow();
    auto at = home(addr);
    while (slots_[at].value && slots_[at].addr != addr) at = next(at);
    if (!slots_[at].value) ++size_;
    slots_[at] = {addr, std::move(value)};
  }

  std::size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    Addr addr;
    Value value{};  // null: the slot is free
  };

  std::size_t home(const Addr& addr) const { return AddrHash{}(addr) & (slots_.size() - 1); }
  std::size_t next(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }

  void erase(const Addr& addr) {
    if (size_ == 0) return;
    auto hole = home(addr);
    while (slots_[hole].value && slots_[hole].addr != addr) hole = next(hole);
    if (!slots_[hole].value) return;
    // Whoever was pushed over the hole comes back into it, so that no search ends there.
    const auto mask = slots_.size() - 1;
    for (auto at = next(hole); slots_[at].value; at = next(at)) {
      const auto from_home = (at - home(slots_[at].addr)) & mask;
      if (from_home < ((at - hole) & mask)) continue;
      slots_[hole] = std::exchange(slots_[at], {});
      hole = at;
    }
    slots_[hole] = {};
    --size_;
  }

  void grow() {
    constexpr std::size_t kLeast = 16;
    auto before =
        std::exchange(slots_, std::vector<Slot>(slots_.empty() ? kLeast : 2 * slots_.size()));
    for (auto& slot : before) {
      if (!slot.value) continue;
      auto at = home(slot.addr);
      while (slots_[at].value) at = next(at);
      slots_[at] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace orb8
