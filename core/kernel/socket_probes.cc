// SPDX-License-Identifier: Apache-2.0
#include "core/kernel/socket_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "core/kernel/kernel_release.h"
#include "core/kernel/libbpf_log.h"
#include "core/kernel/map_fill.h"
#include "socket.skel.h"

namespace orb8 {
namespace {

// Tracing programs get a socket's cookie, and exchange atomically; on arm64 since 5.18.
#ifdef __aarch64__
constexpr KernelVersion kNeeded = {5, 18};
#else
constexpr KernelVersion kNeeded = {5, 12};
#endif

orb8_socket_record to_record(std::span<const std::byte> bytes) {
  orb8_socket_record record;
  std::memcpy(&record, bytes.data(), sizeof(record));
  return record;
}

Result<void> walk(std::optional<BpfIterator>& iterator, const SocketProbes::RecordFn& record) {
  if (!iterator) return {};
  return iterator->walk([&](auto bytes) { record(to_record(bytes)); });
}

}  // namespace

void SocketProbes::Destroy::operator()(socket_bpf* skeleton) const {
  socket_bpf::destroy(skeleton);
}

void SocketProbes::Destroy::operator()(bpf_link* link) const {
  bpf_link__destroy(link);
}

void SocketProbes::Unmap::operator()(const orb8_socket_record* at) const {
  ::munmap(const_cast<orb8_socket_record*>(at), bytes);
}

Result<SocketProbes> SocketProbes::open(const Options& options) {
  spdlog::info("Loading socket probe...");
  auto skeleton = load(options, options.udp);
  std::string refused;
  if (!skeleton && options.udp) {
    refused = skeleton.error().what;
    skeleton = load(options, false);
  }
  if (!skeleton) return std::unexpected(skeleton.error());

  SocketProbes probes(std::move(*skeleton));
  const bool udp = options.udp && refused.empty();
  if (auto ok = probes.map_snapshot(); !ok) return std::unexpected(ok.error());
  if (auto ok = probes.open_iterators(udp); !ok) return std::unexpected(ok.error());
  if (auto ok = probes.attach_tracepoints(); !ok) return std::unexpected(ok.error());
  if (udp) {
    if (auto ok = probes.attach_udp(options); !ok) refused = ok.error().what;
  }
  probes.udp_refused_ = std::move(refused);
  // After the attachment: what opened in between is known already, and found once more.
  if (auto ok = probes.find_holders(); !ok) return std::unexpected(ok.error());
  probes.skeleton_->bss->orb8_found_once = 1;
  return probes;
}

Result<SocketProbes::Skeleton> SocketProbes::load(const Options& options, bool udp) {
  const LibbpfLog log;
  Skeleton skeleton(socket_bpf::open());
  if (!skeleton) return sys_error(errno, "open the socket probe");
  bpf_map__set_max_entries(skeleton->maps.orb8_peers, options.max_peers);
  bpf_map__set_max_entries(skeleton->maps.orb8_sock_ring, options.ring_bytes);
  bpf_map__set_max_entries(skeleton->maps.orb8_tcp_slots, 1U << options.slot_bits);
  skeleton->rodata->orb8_slot_bits = options.slot_bits;
  const auto& progs = skeleton->progs;
  for (auto* program : {progs.orb8_skb_in, progs.orb8_skb_out, progs.orb8_release}) {
    bpf_program__set_autoload(program, udp);
  }
  if (const int err = socket_bpf::load(skeleton.get()); err != 0) {
    auto error = sys_error(-err, "load the socket probe");
    if (const auto release = running_release(); parse_release(release) < kNeeded) {
      error.error().what = "Linux " + release +
                           " cannot tell flows of sockets: " + std::to_string(kNeeded.major) + "." +
                           std::to_string(kNeeded.minor) + " can";
    } else if (const auto why = log.tail(); !why.empty())
      error.error().what += " (" + why + ")";
    return error;
  }
  return skeleton;
}

Result<void> SocketProbes::open_iterators(bool udp) {
  const auto open = [](const bpf_program* program, const bpf_map* map,
                       std::optional<BpfIterator>& into) -> Result<void> {
    auto iterator =
        BpfIterator::open(program, map ? bpf_map__fd(map) : -1, sizeof(orb8_socket_record));
    if (!iterator) return std::unexpected(iterator.error());
    into.emplace(std::move(*iterator));
    return {};
  };
  const auto& progs = skeleton_->progs;
  const auto& maps = skeleton_->maps;
  auto ok = open(progs.orb8_snap_slots, maps.orb8_tcp_slots, slots_);
  if (ok) ok = open(progs.orb8_snap_socks, maps.orb8_tcp, stored_);
  if (ok) ok = open(progs.orb8_snap_listen, maps.orb8_listeners, listening_);
  if (ok) ok = open(progs.orb8_find_socks, nullptr, holders_);
  if (ok && udp) ok = open(progs.orb8_snap_udp, maps.orb8_udp, udp_);
  return ok;
}

// The ends first: a connection that is tracked is one whose end is told.
Result<void> SocketProbes::attach_tracepoints() {
  struct Part {
    bpf_program* program;
    const char* tracepoint;
  };
  const auto& progs = skeleton_->progs;
  for (const auto& [program, tracepoint] : {Part{progs.orb8_sock_gone, "tcp_destroy_sock"},
                                            Part{progs.orb8_sock_state, "inet_sock_set_state"}}) {
    Link link(bpf_program__attach(program));
    if (!link) return sys_error(errno, std::string("attach to the tracepoint ") + tracepoint);
    attached_.push_back({{.program = bpf_program__name(program),
                          .interface = tracepoint,
                          .direction = "",
                          .mechanism = "tp_btf"},
                         std::move(link)});
  }
  spdlog::info("Attached socket probe to tracepoint inet_sock_set_state");
  return {};
}

Result<void> SocketProbes::attach_udp(const Options& options) {
  if (options.cgroup_mount.empty()) {
    return fail(Errc::kUnsupported, "count UDP: cgroup v2 is mounted nowhere");
  }
  const UniqueFd root(::open(options.cgroup_mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return sys_error(errno, "open the cgroup " + options.cgroup_mount);
  struct Part {
    bpf_program* program;
    const char* direction;
  };
  const auto& progs = skeleton_->progs;
  // The release first: a socket that is counted is one whose end is told.
  for (const auto& [program, direction] :
       {Part{progs.orb8_release, ""}, Part{progs.orb8_skb_in, "ingress"},
        Part{progs.orb8_skb_out, "egress"}}) {
    Link link(bpf_program__attach_cgroup(program, root.get()));
    if (!link) {
      auto error = sys_error(errno, std::string("attach ") + bpf_program__name(program) +
                                        " to the cgroup " + options.cgroup_mount);
      std::erase_if(attached_, [](const Attached& a) { return a.program.mechanism == "cgroup"; });
      return error;
    }
    attached_.push_back({{.program = bpf_program__name(program),
                          .interface = options.cgroup_mount,
                          .direction = direction,
                          .mechanism = "cgroup"},
                         std::move(link)});
  }
  spdlog::info("Attached UDP probes to cgroup {}", options.cgroup_mount);
  return {};
}

Result<void> SocketProbes::map_snapshot() {
  const auto* map = skeleton_->maps.orb8_snap_out;
  const std::size_t bytes = sizeof(orb8_socket_record) * bpf_map__max_entries(map);
  void* at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
  if (at == MAP_FAILED) return sys_error(errno, "map the snapshots of sockets");
  snapshot_ = {static_cast<const orb8_socket_record*>(at), Unmap{bytes}};
  return {};
}

// The next walk has those to tell that this one went past, and they are few: it does not pause.
Result<bool> SocketProbes::walk_sockets(BpfIterator& sockets, bool all,
                                        const std::function<void()>& take) {
  constexpr int kMostWalks = 8;
  for (int walk = 0; walk < kMostWalks; ++walk) {
    const auto paused = sockets.walk_with_pauses(take);
    if (!paused) return std::unexpected(paused.error());
    if (!*paused) return true;
    if (!all) return false;
  }
  return false;
}

Result<bool> SocketProbes::snapshot(bool all, const SnapshotFn& record) {
  if (!slots_ || !stored_)
    return fail(Errc::kInternal, "take a snapshot of sockets: there is no iterator");
  auto& count = skeleton_->bss->orb8_snap_count;
  const auto take = [&] {
    for (auto one : std::span(snapshot_.get(), count)) record(one);
    count = 0;
  };
  skeleton_->bss->orb8_snap_all = all ? 1 : 0;
  ++skeleton_->bss->orb8_snap_id;
  take();  // nothing, unless a walk broke off
  bool whole = true;
  for (auto* sockets : {&*slots_, &*stored_, udp_ ? &*udp_ : nullptr}) {
    if (!sockets) continue;
    const auto one = walk_sockets(*sockets, all, take);
    if (!one) return one;
    whole = whole && *one;
  }
  return whole;
}

Result<void> SocketProbes::listeners(const RecordFn& record) {
  return walk(listening_, record);
}

Result<void> SocketProbes::find_holders() {
  return walk(holders_, [](const orb8_socket_record&) {});
}

int SocketProbes::ring_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_sock_ring);
}
int SocketProbes::peers_fd() const {
  return bpf_map__fd(skeleton_->maps.orb8_peers);
}
int SocketProbes::clock_program_fd() const {
  return bpf_program__fd(skeleton_->progs.orb8_clock);
}

Result<orb8_sock_tallies> SocketProbes::tallies() const {
  static const int cpus = libbpf_num_possible_cpus();
  if (cpus < 1) return sys_error(-cpus, "count the CPUs");
  std::vector<orb8_sock_tallies> per_cpu(static_cast<std::size_t>(cpus));
  const std::uint32_t zero = 0;
  const int fd = bpf_map__fd(skeleton_->maps.orb8_sock_tally);
  if (const int err = bpf_map_lookup_elem(fd, &zero, per_cpu.data()); err != 0) {
    return sys_error(-err, "read the socket tally");
  }
  orb8_sock_tallies all = {};
  for (const auto& cpu : per_cpu) {
    for (std::size_t fate = 0; fate < ORB8_SOCK_FATE_MAX; ++fate) {
      all.fate[fate].times += cpu.fate[fate].times;
      all.fate[fate].packets += cpu.fate[fate].packets;
      all.fate[fate].bytes += cpu.fate[fate].bytes;
    }
  }
  return all;
}

std::uint64_t SocketProbes::missed_ends() const {
  bpf_prog_info info = {};
  std::uint32_t size = sizeof(info);
  const int fd = bpf_program__fd(skeleton_->progs.orb8_sock_gone);
  return bpf_prog_get_info_by_fd(fd, &info, &size) == 0 ? info.recursion_misses : 0;
}

std::vector<AttachedProgram> SocketProbes::programs() const {
  std::vector<AttachedProgram> all;
  all.reserve(attached_.size());
  for (const auto& attached : attached_) all.push_back(attached.program);
  return all;
}

std::vector<ProgramRuns> SocketProbes::runs() const {
  return program_runs(skeleton_->obj);
}

}  // namespace orb8
