// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/packet_ring.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <utility>

#include "core/kernel/map_fill.h"

namespace orb8 {

void PacketRing::Free::operator()(ring_buffer* ring) const {
  ring_buffer__free(ring);
}

// libbpf stops behind the record for which this returns less than 0: that record is ours already,
// so it must have been handed over.
int PacketRing::on_record(void* reader, void* data, std::size_t size) {
  auto& self = *static_cast<Reader*>(reader);
  self.record(std::span(static_cast<const std::byte*>(data), size));
  return --self.left == 0 ? -ECANCELED : 0;
}

Result<PacketRing> PacketRing::open(int map_fd, RecordFn record) {
  PacketRing ring(map_fd, std::make_unique<Reader>(Reader{.record = std::move(record)}));
  ring.ring_.reset(ring_buffer__new(map_fd, on_record, ring.reader_.get(), nullptr));
  if (!ring.ring_) return sys_error(errno, "open a ring buffer");
  return ring;
}

std::size_t PacketRing::consume(std::size_t most) {
  if (most == 0) return 0;
  reader_->left = most;
  ring_buffer__consume(ring_.get());
  return most - reader_->left;
}

Fill PacketRing::fill() const {
  const auto* ring = ring_buffer__ring(ring_.get(), 0);
  return fill_of_map(map_fd_, ring == nullptr ? 0 : ring__avail_data_size(ring));
}

}  // namespace orb8
