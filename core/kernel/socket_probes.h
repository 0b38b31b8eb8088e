// The socket probes, loaded and attached: their iterators, ring and maps.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/socket.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/kernel/bpf_iterator.h"
#include "core/model/status.h"

struct bpf_link;
struct socket_bpf;

namespace orb8 {

class SocketProbes {
 public:
  struct Options {
    std::uint32_t max_peers = 65'536;  // of all UDP sockets, beyond the first of each
    std::uint32_t ring_bytes = 1U << 20;
    // 2^n TCP connections have their tracks in a table, others in their sockets; 0: all of them.
    std::uint32_t slot_bits = 13;
    bool udp = true;
    std::string cgroup_mount;  // of cgroup v2
  };

  // From here on no connection is missed: those that open are tracked, and those that were open are
  // found. kUnsupported or kDenied carry the kernel's reason. When only what counts UDP is refused,
  // TCP goes on without it: see udp_refused().
  static Result<SocketProbes> open(const Options& options);

  using RecordFn = std::function<void(const orb8_socket_record&)>;
  using SnapshotFn = std::function<void(orb8_socket_record&)>;

  // A record for each socket that moved since the last time; with `all`, for each at all. True
  // where none that was there all the time can be missing: always, with `all`, unless sockets come
  // and go faster than they are told.
  Result<bool> snapshot(bool all, const SnapshotFn& record);
  // What listens now, as far as it is known; later ones come through the ring, and find_holders()
  // finds those that nobody saw begin.
  Result<void> listeners(const RecordFn& record);
  // Looks up who holds the sockets whose process is not known for sure, and sockets that no program
  // saw opening.
  Result<void> find_holders();

  int ring_fd() const;
  int peers_fd() const;
  int clock_program_fd() const;

  Result<orb8_sock_tallies> tallies() const;
  // Sockets that were given up while the program that looks at their end was at work on the same
  // CPU: of at most so many it is not known whether their last record was sent. Linux counts them
  // since 5.12.
  std::uint64_t missed_ends() const;
  std::vector<AttachedProgram> programs() const;
  // See program_runs().
  std::vector<ProgramRuns> runs() const;
  // Why UDP and ICMP are not counted though they should be; empty otherwise.
  const std::string& udp_refused() const noexcept { return udp_refused_; }

 private:
  struct Destroy {
    void operator()(socket_bpf* skeleton) const;
    void operator()(bpf_link* link) const;
  };
  using Skeleton = std::unique_ptr<socket_bpf, Destroy>;
  using Link = std::unique_ptr<bpf_link, Destroy>;

  struct Attached {
    AttachedProgram program;
    Link link;
  };
  struct Unmap {
    std::size_t bytes;
    void operator()(const orb8_socket_record* at) const;
  };

  explicit SocketProbes(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}
  static Result<Skeleton> load(const Options& options, bool udp);
  Result<void> map_snapshot();
  Result<bool> walk_sockets(BpfIterator& sockets, bool all, const std::function<void()>& take);
  Result<void> open_iterators(bool udp);
  Result<void> attach_tracepoints();
  Result<void> attach_udp(const Options& options);

  Skeleton skeleton_;
  std::unique_ptr<const orb8_socket_record, Unmap> snapshot_;  // what orb8_snap_out holds
  std::vector<Attached> attached_;
  std::optional<BpfIterator> slots_;
  std::optional<BpfIterator> stored_;
  std::optional<BpfIterator> udp_;
  std::optional<BpfIterator> listening_;
  std::optional<BpfIterator> holders_;
  std::string udp_refused_;
};

}  // namespace orb8
