// The longer texts of --help.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace orb8::help {

inline constexpr const char* kAbout =
    "orb8 shows the network flows of a machine or a node: who talks to whom, how much, how\n"
    "well. It asks an agent, or watches by itself (standalone, as root).";

inline constexpr const char* kExamples =
    "Examples:\n"
    "  sudo orb8 trace network --standalone   flows of this machine as they come and go\n"
    "  orb8 flows --sort bytes --limit 10     the ten largest flows that the agent knows\n"
    "  orb8 status                            is the agent well, and what did it lose\n"
    "  orb8 --agent node-7:9090 flows -o json | jq .\n"
    "\n"
    "Where answers come from:\n"
    "  --agent HOST:PORT (or ORB8_AGENT) asks that agent and no other; --standalone loads the\n"
    "  probes into this machine's kernel itself. With neither, the agent at localhost:9090 is\n"
    "  asked, and if there is none, standalone mode takes over; stderr says which it was.\n"
    "\n"
    "Exit status:\n"
    "  0 done   1 it could not be done, stderr says why   2 the command line is wrong";

inline constexpr const char* kStatusExamples =
    "Shows health, flow source, attached probes, and what became of every packet seen. A\n"
    "degraded agent is said to be so, and the exit status is still 0: the question was answered.\n"
    "\n"
    "Examples:\n"
    "  orb8 status\n"
    "  orb8 status -o json | jq .accounting";

inline constexpr const char* kFlowsExamples =
    "Flows that are alive now, each direction of a connection on its own. In standalone mode\n"
    "they are collected for --duration first (3s if not given).\n"
    "\n"
    "Examples:\n"
    "  orb8 flows --sort packets --limit 50\n"
    "  orb8 flows --ip 10.0.0.0/8 --protocol tcp --port 443\n"
    "  orb8 flows --watch 2s\n"
    "  orb8 flows -o json --limit 0 | jq -s 'map(.bytes) | add'";

inline constexpr const char* kTraceExamples =
    "A line when a flow starts, one each second in which it moves, one when it ends; or, with\n"
    "--packets, one for each packet, filtered in the kernel. Ends with Ctrl-C or after\n"
    "--duration, with the top talkers.\n"
    "\n"
    "Flags of TCP are tcpdump's: S SYN, F FIN, P PUSH, R RST, U URG, W CWR, E ECE, . ACK.\n"
    "\n"
    "Examples:\n"
    "  sudo orb8 trace network --standalone --duration 30s\n"
    "  orb8 trace network --port 53 --protocol udp --packets\n"
    "  orb8 trace network --ip 192.168.0.0/16 --direction ingress -o json";

}  // namespace orb8::help
