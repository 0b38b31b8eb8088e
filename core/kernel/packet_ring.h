// The consuming end of a BPF ring buffer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "core/model/status.h"

struct ring_buffer;

namespace orb8 {

class PacketRing {
 public:
  // One record, valid during the call.
  using RecordFn = std::function<void(std::span<const std::byte>)>;

  // Borrows the map's descriptor, which is also the one to poll (edge-triggered: the probes wake
  // the reader of an empty ring, then once each eighth of the ring).
  static Result<PacketRing> open(int map_fd, RecordFn record);

  // Hands over what is there, at most `most` records; how many that were.
  std::size_t consume(std::size_t most);

  int fd() const noexcept { return map_fd_; }
  // Bytes that wait to be read, of those there is room for.
  Fill fill() const;

 private:
  struct Free {
    void operator()(ring_buffer* ring) const;
  };
  struct Reader {  // its address is libbpf's callback context
    RecordFn record;
    std::size_t left = 0;
  };
  PacketRing(int map_fd, std::unique_ptr<Reader> reader) noexcept
      : map_fd_(map_fd), reader_(std::move(reader)) {}
  static int on_record(void* reader, void* data, std::size_t size);

  int map_fd_;
  std::unique_ptr<Reader> reader_;
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace orb8
