// SPDX-License-Identifier: Apache-2.0
#include "core/model/event.h"

namespace orb8 {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kFlowStart:
      return "start";
    case EventKind::kFlowUpdate:
      return "update";
    case EventKind::kFlowEnd:
      return "end";
    case EventKind::kPacket:
      break;
  }
  return "packet";
}

std::string_view to_string(EndReason reason) {
  switch (reason) {
    case EndReason::kNone:
      return "";
    case EndReason::kClosed:
      return "closed";
    case EndReason::kIdle:
      return "idle";
    case EndReason::kEvicted:
      break;
  }
  return "evicted";
}

}  // namespace orb8
