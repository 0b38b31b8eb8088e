// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/socket_watcher.h"

#include <sys/stat.h>

#include <stdexcept>
#include <utility>

#include "core/base/mounts.h"
#include "tests/netns/sockets.h"

namespace orb8::netns {
namespace {

constexpr std::size_t kMaxFlows = 1'000'000;

}  // namespace

std::uint32_t netns_inode(const NetNs& ns) {
  struct stat about = {};
  must(::stat(ns.path().c_str(), &about), "stat a network namespace");
  return static_cast<std::uint32_t>(about.st_ino);
}

SocketSource::Options SocketWatcher::options() {
  SocketSource::Options options;
  options.cgroup_mount = find_cgroup2_mount("");
  options.reason = "test";
  return options;
}

SocketWatcher::SocketWatcher(SocketSource::Options options) {
  empty_table();
  auto source = SocketSource::open(std::move(options));
  if (!source) throw std::runtime_error(source.error().what);
  source_ = std::move(*source);
}

void SocketWatcher::add(const FlowRecord& record) {
  table_->apply(record, [](const FlowRecord& fresh) {
    auto owner = std::make_shared<Owner>();
    owner->cgroup_id = fresh.cgroup_id;
    owner->pid = fresh.pid;
    owner->comm = fresh.comm.data();
    return FlowOwners{.src = {}, .dst = {}, .local = std::move(owner)};
  });
}

void SocketWatcher::read() {
  const auto add_one = [this](const FlowRecord& record) { add(record); };
  if (auto ok = source_->collect(add_one); !ok) throw std::runtime_error(ok.error().what);
  constexpr std::size_t kBatch = 1024;
  const auto keep = [this](const Event& packet) { packets_.push_back(packet); };
  while (source_->handle_ready(kBatch, add_one, keep) == kBatch) {
  }
}

std::vector<Flow> SocketWatcher::flows(const PickFn& pick) const {
  std::vector<Flow> picked;
  table_->share()->for_each([&](const Flow& flow) {
    if (pick(flow)) picked.push_back(flow);
  });
  return picked;
}

Flow SocketWatcher::flow(const NetNs& ns, const Ends& ends, std::uint8_t protocol,
                         Direction direction, const ReadyFn& ready) {
  const auto inode = netns_inode(ns);
  const auto wanted = ends.flow(protocol, direction);
  std::optional<Flow> found;
  eventually([&] {
    read();
    const auto all = flows([&](const Flow& flow) {
      auto key = flow.key;
      key.socket = 0;
      return key == wanted && flow.socket.netns == inode;
    });
    if (all.size() > 1) throw std::runtime_error("two flows of one socket");
    if (!all.empty()) found = all.front();
    return found && ready(*found);
  });
  if (!found) throw std::runtime_error("no such flow");
  return *found;
}

Totals SocketWatcher::totals(const NetNs& ns, std::uint8_t protocol, Direction direction) const {
  Totals sum;
  const auto inode = netns_inode(ns);
  for (const auto& flow : flows([&](const Flow& one) {
         return one.socket.netns == inode && one.key.protocol == protocol &&
                one.key.direction == direction;
       })) {
    sum += {flow.packets, flow.bytes};
  }
  return sum;
}

void SocketWatcher::want_packets(const NetNs& ns, const std::vector<PacketFilter>& filters) {
  const auto here = ns.enter();
  if (auto ok = source_->want_packets(filters); !ok) throw std::runtime_error(ok.error().what);
}

void SocketWatcher::forget(const Flow& flow) {
  const ToldFlow gone{.key = flow.key, .told = table_->told(flow.key), .life = flow.life};
  source_->forget(std::span(&gone, 1), [this](const FlowRecord& record) { add(record); });
}

void SocketWatcher::empty_table() {
  table_ = std::make_unique<FlowTable>(FlowTable::Limits{.max_flows = kMaxFlows});
}

}  // namespace orb8::netns
