// One function for each kind: what is kept of it. A value of a wrong type marks the object as not
// sound (json.h); a text that is no address is left out alone, as older servers let some in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/k8s/json.h"
#include "core/k8s/objects.h"

namespace orb8::k8s {

Pod parse_pod(const JsonObject& object);
Service parse_service(const JsonObject& object);
Node parse_node(const JsonObject& object);
EndpointSlice parse_endpoint_slice(const JsonObject& object);

// Added unless it is there already, or is no address.
void add_addr(std::vector<Addr>& to, std::string_view text);

// "TCP", "UDP" or "SCTP" as IPPROTO_*; the API's default is TCP. 0: another.
std::uint8_t port_protocol(std::string_view name);

}  // namespace orb8::k8s
