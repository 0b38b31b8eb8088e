// A BPF iterator: a program that the kernel runs over each of its objects when somebody reads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

struct bpf_link;
struct bpf_program;

namespace orb8 {

class BpfIterator {
 public:
  // One record, valid during the call.
  using RecordFn = std::function<void(std::span<const std::byte>)>;

  // `map_fd`: the map whose elements are walked; -1 for an iterator over something else. Records
  // are of `record_bytes` each.
  static Result<BpfIterator> open(const bpf_program* program, int map_fd, std::size_t record_bytes);

  // One walk over everything, now. What comes and goes meanwhile may be missed. An error is one of
  // the walk's beginning or of a record that is cut short.
  Result<void> walk(const RecordFn& record);
  // The same for a program that writes to a map, and ends a read when that is full: `pause` is
  // called then, and at the end. True where there was one before the end: what goes away meanwhile
  // may take others out of the walk's way with it. Without a pause none is missed that stays.
  Result<bool> walk_with_pauses(const std::function<void()>& pause);

 private:
  struct Destroy {
    void operator()(bpf_link* link) const;
  };
  BpfIterator(std::unique_ptr<bpf_link, Destroy> link, std::string name, std::size_t record_bytes);

  std::unique_ptr<bpf_link, Destroy> link_;
  std::string name_;
  std::size_t record_bytes_;
  std::vector<std::byte> buffer_;
};

}  // namespace orb8
