// A TC classifier on a clsact qdisc: how probes attach before Linux 6.6.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/model/flow.h"

namespace orb8 {

// Unlike a TCX link a filter outlives its process. So each is claimed: its handle names an abstract
// unix socket of this network namespace, held as long as the owner lives. A filter of ours that
// nobody claims was left by a killed process, and may be removed. What is not ours, by its
// program's name and its handle, is never touched.
class ClsactFilter {
 public:
  // From both directions of the interface, what killed processes left. The qdisc stays: who made it
  // is not known any more.
  static void remove_abandoned(std::uint32_t ifindex);

  // Makes the qdisc if there is none. `head`: before all other filters, else behind them.
  static Result<ClsactFilter> attach(int program_fd, std::uint32_t ifindex, Direction direction,
                                     bool head);

  ClsactFilter(ClsactFilter&& other) noexcept;
  ClsactFilter& operator=(ClsactFilter&& other) noexcept;
  ClsactFilter(const ClsactFilter&) = delete;
  ClsactFilter& operator=(const ClsactFilter&) = delete;
  // Takes the filter off; and the qdisc, if this object made it and nobody uses it any more. So of
  // an interface's two filters the first made should be the last to go.
  ~ClsactFilter();

 private:
  ClsactFilter() = default;

  UniqueFd claim_;  // none: moved from
  std::uint32_t ifindex_ = 0;
  Direction direction_ = Direction::kIngress;
  std::uint32_t handle_ = 0;
  std::uint32_t priority_ = 0;
  bool made_qdisc_ = false;
};

}  // namespace orb8
