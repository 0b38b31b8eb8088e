// The prose of --help: what stands below the list of flags.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace orb8::help {

inline constexpr const char* kAbout =
    "orb8 shows the network flows of a machine: who talks to whom, how much, how fast. It asks an "
    "agent, or watches by itself (standalone, as root).";

inline constexpr const char* kOrb8 =
    "Where answers come from:\n"
    "  --agent HOST:PORT (or ORB8_AGENT) asks that agent and no other. --standalone loads\n"
    "  the probes into this machine's kernel itself. With neither, the agent at\n"
    "  localhost:9090 is asked, and where there is none this machine is watched\n"
    "  standalone; standard error says which it was.\n"
    "\n"
    "Exit status:\n"
    "  0  done; also when a trace was ended by Ctrl-C, or nobody reads the output any more\n"
    "  1  it could not be done: standard error says why and what to do\n"
    "  2  the command line is wrong: standard error says what is allowed\n"
    "\n"
    "Examples:\n"
    "  sudo orb8 trace network --standalone    flows of this machine as they come and go\n"
    "  orb8 flows --limit 10                   the ten largest flows that the agent knows\n"
    "  orb8 status                             is the agent well, and what did it lose\n"
    "  orb8 --agent node-7:9090 flows -o json | jq .dst_ip";

inline constexpr const char* kStatus =
    "Shows health, flow source, attached probes, and what became of every packet seen:\n"
    "seen = counted + spilled + duplicate + own + not IP + truncated + unparsed + lost.\n"
    "An agent that is not well says DEGRADED and why; the exit status is 0 all the same,\n"
    "since the question was answered.\n"
    "\n"
    "Examples:\n"
    "  orb8 status\n"
    "  orb8 status --agent node-7:9090\n"
    "  orb8 status -o json | jq .accounting.lost.packets\n"
    "  test \"$(orb8 status -o json | jq .healthy)\" = true";

inline constexpr const char* kFlows =
    "Each direction of a connection is a flow of its own. Sides are shown by name where the\n"
    "cluster has one: namespace/pod, svc/namespace/service, node/name; with -o wide addresses\n"
    "stay, and names have columns of their own. Values of the same filter are alternatives,\n"
    "different filters must all match; --not turns the next one round, and --or begins another\n"
    "set. Filters without from or to match either side.\n"
    "--since, --until, --last, --first and --all bring flows that have ended, too, as far as\n"
    "the agent remembers them (15 minutes). --by shows sums of flows instead: of their own\n"
    "side, that they are seen from, or of the peer; --window 10s rates over that time. SENT\n"
    "and RECEIVED are as seen from the own side, CONNS are TCP connections.\n"
    "With --watch the table is drawn again in place on a terminal, as many rows as it has, and\n"
    "appended anywhere else.\n"
    "\n"
    "What sockets tell (PROCESS, and with -o wide round-trip times, repeated segments, payload\n"
    "and more) is '-' with flow source tc, which sees packets only. BYTES are of whole packets\n"
    "on the wire, PAYLOAD is what the application sent or received.\n"
    "\n"
    "Examples:\n"
    "  orb8 flows --sort packets --limit 50\n"
    "  orb8 flows --ip 10.0.0.0/8 --protocol tcp --port 443 --port 8443\n"
    "  orb8 flows --sort rtt                    the slowest connections first\n"
    "  orb8 flows --collapse-ports              a client's connections to a server as one row\n"
    "  orb8 flows --failed --namespace shop\n"
    "  orb8 flows --from-workload deploy/web --not --to-service kube-system/kube-dns\n"
    "  orb8 flows --from-pod web-0 --or --to-pod web-0 --to-port 8000-8999\n"
    "  orb8 flows --watch 5s\n"
    "  orb8 flows --since 5m --failed\n"
    "  orb8 flows --by workload --by peer-workload --top 10\n"
    "  orb8 flows --by process --by port --window 10s\n"
    "  sudo orb8 flows --standalone --duration 10s --interface 'veth*'\n"
    "  orb8 flows -o json --limit 0 | jq -s 'map(.bytes) | add'\n"
    "  orb8 flows --input-file trace.json       the flows of a saved trace";

inline constexpr const char* kTrace =
    "Examples:\n"
    "  orb8 trace network\n"
    "  orb8 trace network --help";

inline constexpr const char* kTraceNetwork =
    "One line when a flow starts, one each interval in which it moves, with what moved since\n"
    "its line before, and one with its totals when it ends. RATE is over the time since the\n"
    "flow's line before, at the end over its life; '-' where that is under 0.1 s.\n"
    "Ends with Ctrl-C, after --duration, or when nobody reads the output any more; then a\n"
    "table shows the top talkers, and a line on standard error says how many events there\n"
    "were, how fast, and what was lost.\n"
    "\n"
    "With --failed there is one line for each connection that failed, when it ends, with the\n"
    "reason; of both its directions the one out of this machine, unless --direction says more.\n"
    "\n"
    "With --since, --until, --last, --first or --all it shows what the agent remembers, an END\n"
    "for each flow that has ended and an UPDATE for each alive, with all that they moved, and\n"
    "ends; with -f it goes on with what happens.\n"
    "\n"
    "TCP flags are tcpdump's letters: S SYN, F FIN, P PUSH, R RST, U URG, W CWR, E ECE and\n"
    "'.' ACK. Bytes and lengths are of whole packets on the wire. Times are local (TZ).\n"
    "\n"
    "With --input-file a trace that was saved with -o json is shown again, filtered as an agent\n"
    "filters, in any format. Lines that cannot be read are counted; the exit status is 1 then.\n"
    "\n"
    "Examples:\n"
    "  sudo orb8 trace network --standalone --duration 30s\n"
    "  orb8 trace network --failed\n"
    "  orb8 trace network --last 20\n"
    "  orb8 trace network --since 5m --failed -f\n"
    "  orb8 trace network --min-rtt 50ms --protocol tcp\n"
    "  orb8 trace network --packets --protocol udp --port 53\n"
    "  orb8 trace network --ip 192.168.0.0/16 --direction ingress -o json\n"
    "  orb8 trace network --namespace shop --pod 'web-*' --not --port 53\n"
    "  orb8 trace network -o json | tee trace.json\n"
    "  orb8 trace network --input-file trace.json --namespace shop -o compact";

inline constexpr const char* kPods =
    "What Kubernetes told of each pod, and on the agent's own node whether its cgroup was found:\n"
    "where a flow lacks a name, look here first. CGROUP is '-' for pods of other nodes. Without a\n"
    "cgroup a pod's flows are known by its address, and those of one on the host's network not\n"
    "at all. NOTE says host-network, where the address is the node's and names nobody, and\n"
    "finished, where the address may be another pod's by now.\n"
    "\n"
    "Examples:\n"
    "  orb8 pods\n"
    "  orb8 pods -n shop -o wide                with workload, zone, containers and UID\n"
    "  orb8 pods -o json | jq -r 'select(.cgroup_found) | .name'";

inline constexpr const char* kVersion =
    "Examples:\n"
    "  orb8 version";

inline constexpr const char* kCompletion =
    "Examples:\n"
    "  source <(orb8 completion bash)\n"
    "  orb8 completion bash > /etc/bash_completion.d/orb8\n"
    "  orb8 completion zsh > \"${fpath[1]}/_orb8\"\n"
    "  orb8 completion fish > ~/.config/fish/completions/orb8.fish";

}  // namespace orb8::help
