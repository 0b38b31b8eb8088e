// SPDX-License-Identifier: Apache-2.0
#include "core/model/endpoint.h"

namespace orb8 {

std::string_view to_string(EndpointKind kind) {
  switch (kind) {
    case EndpointKind::kExternal:
      return "external";
    case EndpointKind::kNode:
      return "node";
    case EndpointKind::kPod:
      return "pod";
    case EndpointKind::kService:
      return "service";
    case EndpointKind::kContainer:
      return "container";
    case EndpointKind::kProcess:
      return "process";
    case EndpointKind::kUnknown:
      break;
  }
  return "unknown";
}

const EndpointRef& external_endpoint() {
  static const auto external =
      std::make_shared<const Endpoint>(Endpoint{.kind = EndpointKind::kExternal});
  return external;
}

}  // namespace orb8
