// Somebody else's TC program on an interface.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/kernel/tc_attachment.h"
#include "core/model/flow.h"
#include "tests/netns/topology.h"

struct witness_bpf;

namespace orb8::netns {

struct ForeignFilter {
  std::uint32_t priority = 1;
  std::uint32_t handle = 1;
};

// Attached as long as it lives. The namespace outlives it.
class Witness {
 public:
  static constexpr int kNext = -1;  // TC_ACT_UNSPEC, TCX_NEXT
  static constexpr int kPass = 0;   // TC_ACT_OK, TCX_PASS: nobody behind it is asked
  static constexpr int kDrop = 2;   // TC_ACT_SHOT, TCX_DROP

  // By TCX, before all others or behind them.
  static Witness on_tcx(const NetNs& ns, const std::string& interface, Direction direction,
                        TcPlace place, int verdict = kNext);
  // Behind all others, by whichever of the two this kernel has.
  static Witness behind_all(const NetNs& ns, const std::string& interface, Direction direction);
  // As a clsact filter, as tc(8) and most agents do it. The qdisc stays when it goes.
  static Witness on_clsact(const NetNs& ns, const std::string& interface, Direction direction,
                           ForeignFilter filter, int verdict = kNext);

  Witness(Witness&&) noexcept = default;
  Witness& operator=(Witness&&) = delete;
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness();

  Totals seen() const;
  std::uint64_t nonlinear() const;
  std::uint64_t tagged() const;
  std::uint32_t program_id() const;

 private:
  struct Destroy {
    void operator()(witness_bpf* skeleton) const;
  };
  struct Clsact {
    std::uint32_t ifindex;
    Direction direction;
    ForeignFilter filter;
  };
  Witness(const NetNs& ns, int verdict);
  int program_fd() const;

  const NetNs* ns_;
  std::unique_ptr<witness_bpf, Destroy> skeleton_;
  std::optional<TcAttachment> tcx_;
  std::optional<Clsact> clsact_;
};

}  // namespace orb8::netns
