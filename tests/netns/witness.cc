// SPDX-License-Identifier: Apache-2.0
#include "tests/netns/witness.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/kernel/libbpf_log.h"
#include "tests/netns/attached.h"
#include "witness.skel.h"

namespace orb8::netns {
namespace {

void check(int result, const std::string& doing) {
  if (result < 0) throw std::runtime_error(doing + ": " + std::strerror(-result));
}

bpf_tc_attach_point attach_point(Direction direction) {
  return direction == Direction::kIngress ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

constexpr std::uint32_t kLastPriority = 0xffff;

}  // namespace

void Witness::Destroy::operator()(witness_bpf* skeleton) const {
  witness_bpf::destroy(skeleton);
}

Witness::Witness(const NetNs& ns, int verdict) : ns_(&ns), skeleton_(witness_bpf::open()) {
  if (!skeleton_) throw std::runtime_error("open the witness");
  skeleton_->rodata->verdict = verdict;
  check(witness_bpf::load(skeleton_.get()), "load the witness");
}

Witness Witness::on_tcx(const NetNs& ns, const std::string& interface, Direction direction,
                        TcPlace place, int verdict) {
  Witness witness(ns, verdict);
  const auto here = ns.enter();
  auto attached = TcAttachment::attach(
      witness.program_fd(),
      {.ifindex = ifindex_of(ns, interface), .interface = interface, .direction = direction},
      TcMechanism::kTcx, place);
  if (!attached) throw std::runtime_error(attached.error().what);
  witness.tcx_.emplace(std::move(*attached));
  return witness;
}

Witness Witness::behind_all(const NetNs& ns, const std::string& interface, Direction direction) {
  if (has_tcx()) return on_tcx(ns, interface, direction, TcPlace::kTail);
  return on_clsact(ns, interface, direction, {.priority = kLastPriority, .handle = 1});
}

Witness Witness::on_clsact(const NetNs& ns, const std::string& interface, Direction direction,
                           ForeignFilter filter, int verdict) {
  Witness witness(ns, verdict);
  const LibbpfLog log;
  const auto here = ns.enter();
  const auto ifindex = ifindex_of(ns, interface);
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(ifindex),
              .attach_point = attach_point(direction));
  const int made = bpf_tc_hook_create(&hook);
  if (made != -EEXIST) check(made, "make a clsact qdisc");
  LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = witness.program_fd(), .handle = filter.handle,
              .priority = filter.priority);
  check(bpf_tc_attach(&hook, &opts), "attach a clsact filter");
  witness.clsact_ = {ifindex, direction, filter};
  return witness;
}

Witness::~Witness() {
  if (!skeleton_ || !clsact_) return;
  const LibbpfLog log;  // the interface may be gone
  const auto here = ns_->enter();
  LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = static_cast<int>(clsact_->ifindex),
              .attach_point = attach_point(clsact_->direction));
  LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact_->filter.handle,
              .priority = clsact_->filter.priority);
  bpf_tc_detach(&hook, &opts);
}

int Witness::program_fd() const {
  return bpf_program__fd(skeleton_->progs.witness);
}

Totals Witness::seen() const {
  return {skeleton_->bss->packets, skeleton_->bss->bytes};
}

std::uint64_t Witness::nonlinear() const {
  return skeleton_->bss->nonlinear;
}

std::uint64_t Witness::tagged() const {
  return skeleton_->bss->tagged;
}

std::uint32_t Witness::program_id() const {
  bpf_prog_info info = {};
  std::uint32_t size = sizeof(info);
  check(bpf_obj_get_info_by_fd(program_fd(), &info, &size), "ask for the witness's number");
  return info.id;
}

}  // namespace orb8::netns
