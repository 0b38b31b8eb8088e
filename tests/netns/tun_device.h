// An interface whose other end is the test itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/unique_fd.h"
#include "tests/netns/frames.h"
#include "tests/netns/topology.h"

namespace orb8::netns {

class TunDevice {
 public:
  enum class Kind : std::uint8_t {
    kTun,       // packets begin with IP
    kTap,       // frames begin with Ethernet
    kTapPages,  // the same, and what is written in pieces stays in pieces (IFF_NAPI_FRAGS)
  };
  // Down, without addresses.
  TunDevice(const NetNs& ns, const std::string& name, Kind kind);

  // To the kernel: the interface receives.
  void write(std::span<const std::uint8_t> packet);
  // The first piece alone lies in the linear area, for kTapPages.
  void write_in_two(std::span<const std::uint8_t> packet, std::size_t first);
  // From the kernel: what the interface sent; empty when nothing is there.
  Bytes read();

 private:
  UniqueFd fd_;
};

}  // namespace orb8::netns
