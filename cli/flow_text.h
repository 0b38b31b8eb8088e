// The parts of a flow, an event or a packet in words: sides, protocol, flags.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "orb8/v1/agent.pb.h"

namespace orb8 {

enum class Sides : unsigned char { kNames, kAddresses };

// By its name where the cluster has one for it: "shop/web-0:80", "svc/shop/web:80", "node/n1:80";
// else, and where addresses are wanted, by its address, as below.
std::string source_of(const v1::NetworkFlow& flow, Sides sides = Sides::kNames);
std::string source_of(const v1::NetworkEvent& event, Sides sides = Sides::kNames);
std::string destination_of(const v1::NetworkFlow& flow, Sides sides = Sides::kNames);
std::string destination_of(const v1::NetworkEvent& event, Sides sides = Sides::kNames);

// Without ICMP's type.
std::string bare_destination_of(const v1::NetworkFlow& flow, Sides sides);
std::string bare_destination_of(const v1::NetworkEvent& event, Sides sides);

// "10.0.0.1:80", "[2001:db8::1]:80", or the address alone for a protocol without ports;
// "10.0.0.1:*" for all ports of a client.
std::string source_address_of(const v1::NetworkFlow& flow);
std::string source_address_of(const v1::NetworkEvent& event);

// The same; ICMP has its type in the port's place: "10.0.0.1 echo-request".
std::string destination_address_of(const v1::NetworkFlow& flow);
std::string destination_address_of(const v1::NetworkEvent& event);

// Who it is, of whatever kind: "shop/web-0", "svc/shop/web", "node/n1", "container/redis",
// "process/sshd", "external"; "-" where nobody knows.
std::string endpoint_text(const v1::Endpoint& endpoint);

// The Service that was addressed, with its port's name: "shop/web:http"; "-" for none.
std::string service_text(const v1::NetworkFlow& flow);
std::string service_text(const v1::NetworkEvent& event);

// "echo-request", "type 200"; empty for what is not ICMP.
std::string icmp_text(const v1::NetworkFlow& flow);
std::string icmp_text(const v1::NetworkEvent& event);

// tcpdump's letters: "S", "S.", "FP.", "R"; "" for none.
std::string tcp_flag_letters(std::uint32_t flags);

// The same, "-" for none: sockets do not know their packets' flags.
std::string tcp_flags_text(std::uint32_t flags);

// "shop/web-0"
std::string pod_text(const v1::NetworkFlow& flow);
std::string pod_text(const v1::NetworkEvent& event);

// Wire bytes. An agent that does not know our fields fills only the small one.
std::uint64_t bytes_of(const v1::NetworkEvent& event);
std::uint64_t packets_of(const v1::NetworkEvent& event);

}  // namespace orb8
