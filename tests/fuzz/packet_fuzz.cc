// The packet parser that the probes are checked with. A frame as it comes: the parser must not read
// beyond its end, and what it says of a frame must not depend on what follows. And a frame built
// from the same bytes: the parser finds what it was made of.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/packets/frame_maker.h"
#include "tests/packets/frame_parser.h"

namespace {

using orb8::FrameParser;
using orb8::FrameVerdict;
using orb8::ParsedFrame;
using Bytes = std::vector<std::uint8_t>;

void require(bool held) {
  if (!held) std::abort();
}

bool same(const ParsedFrame& one, const ParsedFrame& other) {
  return one.verdict == other.verdict && one.key == other.key && one.tcp_flags == other.tcp_flags &&
         one.header_bytes == other.header_bytes && one.later_fragment == other.later_fragment;
}

// A type of 0: the frame begins with Ethernet's header. The bytes are a vector of their own, so
// that the address sanitizer watches their end.
ParsedFrame parse(std::uint16_t bare_type, const Bytes& frame) {
  return bare_type == 0 ? FrameParser().parse(frame) : FrameParser().parse_bare(bare_type, frame);
}

Bytes first_of(const Bytes& frame, std::size_t size) {
  return {frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)};
}

// What needs no more bytes does not change when more come, nor when the payload is cut off.
void check_as_it_comes(std::uint16_t bare_type, const Bytes& frame) {
  const auto parsed = parse(bare_type, frame);
  if (parsed.verdict == FrameVerdict::kBroken) return;
  auto longer = frame;
  longer.resize(frame.size() + 64, 0xff);
  require(same(parse(bare_type, longer), parsed));
  if (parsed.verdict != FrameVerdict::kFlow) return;
  // Of a layer 4 header no more than 14 bytes are read, however short it says it is.
  const auto needed = std::min(parsed.header_bytes + 14, frame.size());
  require(same(parse(bare_type, first_of(frame, needed)), parsed));
}

void check_as_it_is_built(const Bytes& choices) {
  std::size_t at = 0;
  const auto next = [&] { return at < choices.size() ? choices[at++] : std::uint8_t{0}; };
  orb8::FrameMaker maker([&](std::uint32_t n) {
    std::uint32_t drawn = next();
    if (n > 256) drawn = drawn << 8U | next();
    return drawn % n;
  });
  auto made = maker.make();
  require(same(parse(made.bare_type, made.packet.bytes()), made.expected));
  maker.mutilate(made);
  check_as_it_comes(made.bare_type, made.packet.bytes());
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const Bytes bytes(data, data + size);
  check_as_it_comes(0, bytes);
  check_as_it_comes(0x0800, bytes);
  check_as_it_comes(0x86dd, bytes);
  check_as_it_is_built(bytes);
  return 0;
}
