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

}  // namespace orb8
