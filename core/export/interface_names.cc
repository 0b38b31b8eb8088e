// SPDX-License-Identifier: Apache-2.0
#include "core/export/interface_names.h"

#include <net/if.h>

#include <array>

#include "core/export/utf8.h"

namespace orb8 {
namespace {

constexpr auto kKeep = std::chrono::seconds(5);

}  // namespace

const std::string& InterfaceNames::name_of(std::uint32_t ifindex) {
  if (Clock::now() - asked_ > kKeep) {
    names_.clear();
    asked_ = Clock::now();
  }
  const auto [entry, fresh] = names_.try_emplace(ifindex);
  std::array<char, IF_NAMESIZE> name = {};
  if (fresh && ::if_indextoname(ifindex, name.data())) entry->second = valid_utf8(name.data());
  return entry->second;
}

}  // namespace orb8
