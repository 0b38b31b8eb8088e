// SPDX-License-Identifier: Apache-2.0
#include "core/source/interface_choice.h"

#include <fnmatch.h>

#include <functional>
#include <set>

namespace orb8 {
namespace {

const std::vector<std::string> kBridges = {"cni0", "docker0", "cbr0", "br-*"};
const std::vector<std::string> kLoopback = {"lo"};

}  // namespace

std::vector<Interface> choose_interfaces(const std::map<std::uint32_t, Interface>& interfaces,
                                         const std::vector<std::string>& patterns) {
  std::vector<Interface> chosen;
  std::set<std::uint32_t> taken;
  const auto take_if = [&](const std::function<bool(const Interface&)>& wanted) {
    for (const auto& [ifindex, interface] : interfaces) {
      if (wanted(interface) && taken.insert(ifindex).second) chosen.push_back(interface);
    }
  };
  const auto take_matching = [&](const std::vector<std::string>& globs) {
    for (const auto& glob : globs) {
      take_if([&](const Interface& interface) {
        return ::fnmatch(glob.c_str(), interface.name.c_str(), 0) == 0;
      });
    }
  };

  if (!patterns.empty()) {
    take_matching(patterns);
    return chosen;
  }
  take_if([](const Interface& interface) { return interface.default_route; });
  take_matching(kBridges);
  take_if([](const Interface& interface) { return interface.pod_end; });
  take_matching(kLoopback);
  return chosen;
}

}  // namespace orb8
