// A probe on one direction of one interface.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/kernel/clsact_filter.h"
#include "core/model/flow.h"

namespace orb8 {

enum class TcMechanism : std::uint8_t { kAuto, kTcx, kClsact };
// Before all other programs of the hook, or behind them. Behind a program that redirects, as a
// CNI's may, nothing is seen.
enum class TcPlace : std::uint8_t { kHead, kTail };

struct TcTarget {
  std::uint32_t ifindex = 0;
  std::string interface;
  Direction direction = Direction::kIngress;
};

// Alive means attached. A TCX link dies with the process; a clsact filter that a killed process
// left behind is removed by the next one.
class TcAttachment {
 public:
  // kAuto: TCX, or clsact on kernels before 6.6.
  static Result<TcAttachment> attach(int program_fd, const TcTarget& target, TcMechanism mechanism,
                                     TcPlace place);

  std::string_view mechanism() const noexcept;

 private:
  struct TcxLink {
    UniqueFd fd;
  };
  template <class How>
  explicit TcAttachment(How how) : how_(std::move(how)) {}

  std::variant<TcxLink, ClsactFilter> how_;
};

}  // namespace orb8
