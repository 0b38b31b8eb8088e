// The packet parser that the probes are checked with: it must not read beyond a frame, and what it
// says of a frame that is long enough must not depend on what follows.
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/packets/frame_parser.h"

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT
  const std::vector<std::uint8_t> frame(data, data + size);  // its end is the sanitizer's to watch
  const auto parsed = orb8::FrameParser().parse(frame);
  auto longer = frame;
  longer.resize(size + 64, 0xff);
  const auto again = orb8::FrameParser().parse(longer);
  const bool whole = parsed.verdict != orb8::FrameVerdict::kBroken;
  if (whole && (again.verdict != parsed.verdict || !(again.key == parsed.key))) std::abort();
  return 0;
}
