// The probes on the interfaces: attached to those that are wanted, taken off the others. At the
// host's end of a pod's veth the probes of the two directions change places.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/kernel/network_probes.h"
#include "core/kernel/network_state.h"
#include "core/kernel/tc_attachment.h"
#include "core/model/status.h"

namespace orb8 {

class InterfaceHooks {
 public:
  // The probes outlive it.
  InterfaceHooks(NetworkProbes& probes, TcMechanism mechanism, TcPlace place)
      : probes_(probes), mechanism_(mechanism), place_(place) {}

  // Lets go of what is not wanted, and attaches to at most so many interfaces more, in this order:
  // attaching to one takes up to 30 ms (TCX waits for the kernel's readers). False: some are left
  // for another call.
  bool follow(const std::vector<Interface>& wanted, std::size_t most);

  // Detaches from at most so many interfaces, which takes as long. True when none is left.
  bool let_go(std::size_t most);

  // The next calls try those again that refused.
  void retry();

  bool none() const { return hooks_.empty(); }
  bool refused() const { return !refusals_.empty(); }
  std::string refusal_text() const;
  std::vector<AttachedProgram> programs() const;

 private:
  struct Hooks {
    Interface interface;
    TcAttachment ingress;  // made first, so the last to go: it may own the qdisc of both
    TcAttachment egress;
  };
  struct Refusal {
    std::string why;
    bool retry = false;
  };

  void let_go_of_all_but(const std::vector<Interface>& wanted);
  void add(const Interface& interface);
  Result<Hooks> attach(const Interface& interface);
  void detach(std::uint32_t ifindex);

  NetworkProbes& probes_;
  TcMechanism mechanism_;
  TcPlace place_;
  std::map<std::uint32_t, Hooks> hooks_;       // by ifindex
  std::map<std::uint32_t, Refusal> refusals_;  // by ifindex
};

}  // namespace orb8
