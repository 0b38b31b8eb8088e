// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/tun_device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kLongest = 65'536;

short flags_of(TunDevice::Kind kind) {
  switch (kind) {
    case TunDevice::Kind::kTun:
      return IFF_TUN | IFF_NO_PI;
    case TunDevice::Kind::kTap:
      return IFF_TAP | IFF_NO_PI;
    case TunDevice::Kind::kTapPages:
      return IFF_TAP | IFF_NO_PI | IFF_NAPI | IFF_NAPI_FRAGS;
  }
  return 0;
}

}  // namespace

TunDevice::TunDevice(const NetNs& ns, const std::string& name, Kind kind) {
  const auto here = ns.enter();
  fd_ = UniqueFd(must(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), "/dev/net/tun"));
  ifreq request = {};
  std::strncpy(request.ifr_name, name.c_str(), sizeof(request.ifr_name) - 1);
  request.ifr_flags = flags_of(kind);
  must(::ioctl(fd_.get(), TUNSETIFF, &request), "make a tun device");
  ns.sh("ip link set " + name + " addrgenmode none");
}

void TunDevice::write(std::span<const std::uint8_t> packet) {
  must(::write(fd_.get(), packet.data(), packet.size()), "write to a tun device");
}

void TunDevice::write_in_two(std::span<const std::uint8_t> packet, std::size_t first) {
  Bytes bytes(packet.begin(), packet.end());
  const iovec pieces[] = {{bytes.data(), first}, {bytes.data() + first, bytes.size() - first}};
  must(::writev(fd_.get(), pieces, 2), "write to a tun device");
}

Bytes TunDevice::read() {
  Bytes packet(kLongest);
  const auto size = ::read(fd_.get(), packet.data(), packet.size());
  if (size < 0 && errno != EAGAIN) throw_errno("read from a tun device");
  packet.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return packet;
}

}  // namespace orb8::netns
