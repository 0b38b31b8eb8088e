// The last comer among those with the same key.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace orb8 {

// Of the values of `key` in a multimap of pointers, the one with the highest `order`; null for
// none.
template <class Multimap, class Key>
typename Multimap::mapped_type newest(const Multimap& all, const Key& key) {
  typename Multimap::mapped_type best = nullptr;
  for (auto [at, end] = all.equal_range(key); at != end; ++at) {
    if (best == nullptr || at->second->order > best->order) best = at->second;
  }
  return best;
}

template <class Multimap, class Key>
void erase_one(Multimap& all, const Key& key, typename Multimap::mapped_type value) {
  for (auto [at, end] = all.equal_range(key); at != end; ++at) {
    if (at->second == value) {
      all.erase(at);
      return;
    }
  }
}

}  // namespace orb8
