#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the agent on one end of a veth pair, sends known traffic from the other, and asks for it over
# gRPC, HTTP and the command line: with flows from packets, then from sockets. Needs root and the built
# programs; touches only two network namespaces of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/build/bin
here=orb8-smoke-$$-a
peer=orb8-smoke-$$-b
stop() {
  echo "smoke-test: $*" >&2
  exit 1
}
((EUID == 0)) || stop "needs root: it makes network namespaces and attaches probes"
[[ -x $bin/orb8 && -x $bin/orb8-agent ]] || stop "no programs in $bin: make build makes them"
missing=
for tool in awk bpftool curl ip jq nsenter ping python3 ss; do
  command -v "$tool" >/dev/null || missing+=" $tool"
done
[[ -z $missing ]] || stop "not installed:$missing; make deps installs what tests need"
# Ubuntu's bpftool is a script that refuses where no build of it is for the running kernel.
said=$(bpftool prog show 2>&1 >/dev/null) || stop "bpftool cannot list programs: ${said//$'\n'/ }"

logs=$(mktemp -d)
check_log=$logs/check
patience_s=10
# shellcheck source=scripts/checks.sh
. scripts/checks.sh
agent=
programs=()

cleanup() {
  [[ -z $agent ]] || kill -9 "$agent" 2>/dev/null || true
  ip netns del "$here" 2>/dev/null || true
  ip netns del "$peer" 2>/dev/null || true
  rm -rf "$logs"
}
trap cleanup EXIT

# Not `ip netns exec`, which mounts another /sys: the cgroups are below it.
inside() { nsenter --net="/run/netns/$here" "$@"; }
orb8() { inside "$bin/orb8" --agent localhost:9090 "$@"; }

# has_flow <jq condition>: a flow of the agent meets it.
has_flow() { orb8 flows --limit 0 -o json | jq -se "any($1)" >/dev/null; }
has_status() { orb8 status -o json | jq -e "$1" >/dev/null; }
# The programs that the agent holds. A program that is attached anywhere stays loaded.
find_programs() {
  mapfile -t programs < <(awk '/^prog_id:/ {print $2}' "/proc/$agent/fdinfo/"* | sort -un)
  ((${#programs[@]} > 0))
}
# By a list that must be had: of a program asked for alone no answer would look like its absence.
are_unloaded() {
  local loaded id
  loaded=$(bpftool prog show -j | jq '.[].id') || return 1
  for id in "${programs[@]}"; do
    ! grep -qx "$id" <<<"$loaded" || return 1
  done
}
is_once() { [[ $(grep -c "$1" "$2") == 1 ]]; }
fails_with() {
  local status=$1 words=$2
  shift 2
  local said code=0
  said=$("$@" 2>&1) || code=$?
  [[ $code == "$status" && $said == *"$words"* ]] || {
    echo "exit $code: $said"
    return 1
  }
}

# start_agent [flag...]
start_agent() {
  (exec nsenter --net="/run/netns/$here" "$bin/orb8-agent" "$@") >"$logs/agent" 2>&1 &
  agent=$!
  eventually inside curl -sf localhost:9091/readyz -o /dev/null
}

end_agent() {
  kill "-$1" "$agent"
  wait "$agent" 2>/dev/null || [[ $1 == KILL ]]
  agent=
}

send_udp() {
  inside python3 - <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.0.0.1", 5001))
for _ in range(100):
    s.sendto(b"x" * 158, ("10.0.0.2", 5002))
PY
}

# send_tcp <port>: a megabyte from there to the other end. Prints what the socket sent, repetitions
# included: bytes_sent of struct tcp_info, once the other end has closed as well.
send_tcp() {
  ip netns exec "$peer" python3 - <<'PY' &
import socket
with socket.create_server(("10.0.0.2", 5004)) as server, server.accept()[0] as peer:
    while peer.recv(65536):
        pass
PY
  local server=$!
  eventually listens || return 1
  inside python3 - "$1" <<'PY'
import socket, struct, sys
here = ("10.0.0.1", int(sys.argv[1]))
with socket.create_connection(("10.0.0.2", 5004), source_address=here) as s:
    s.sendall(b"x" * 1_000_000)
    s.shutdown(socket.SHUT_WR)
    s.recv(1)
    print(*struct.unpack_from("Q", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 208), 200))
PY
  wait "$server"
}
# A connection that nobody takes.
connect_in_vain() {
  inside python3 - <<'PY'
import socket
try:
    socket.create_connection(("10.0.0.2", 5006), source_address=("10.0.0.1", 5005))
except ConnectionRefusedError:
    raise SystemExit(0)
raise SystemExit("it was not refused")
PY
}
listens() { [[ -n $(ip netns exec "$peer" ss -Hltn 'sport = 5004') ]]; }

ip netns add "$here"
ip netns add "$peer"
ip link add eth0 netns "$here" type veth peer name eth0 netns "$peer"
for space in "$here" "$peer"; do
  ip -n "$space" link set lo up
  ip -n "$space" link set eth0 up
done
ip -n "$here" addr add 10.0.0.1/24 dev eth0
ip -n "$peer" addr add 10.0.0.2/24 dev eth0
ip -n "$here" addr add fd00::1/64 dev eth0 nodad
ip -n "$peer" addr add fd00::2/64 dev eth0 nodad
ip -n "$here" route add default via 10.0.0.2

check "the agent starts and is ready" start_agent --flow-source tc
check "its probes are loaded" find_programs
check "its log names the probes" grep -q "Attached egress probe to eth0" "$logs/agent"
check "/healthz is ok" inside curl -sf localhost:9091/healthz -o /dev/null
check "status is healthy" has_status '.healthy and .flow_source == "tc"'
check "status lists both probes of eth0" \
  has_status '[.programs[] | select(.interface == "eth0")] | length == 2'

inside "$bin/orb8" --agent localhost:9090 trace network --duration 5s -o json \
  >"$logs/trace" 2>"$logs/trace-summary" &
trace=$!
eventually has_status '.subscribers == 1'
send_udp
tcp_bytes=$(send_tcp 5003)
inside ping -qc 4 -i 0.4 10.0.0.2 >/dev/null  # longer than the interval of a second
inside ping -qc 3 -i 0.2 fd00::2 >/dev/null

check "100 datagrams are 100 packets of 200 bytes" eventually has_flow \
  '.src_port == 5001 and .dst_port == 5002 and .packets == 100 and .bytes == 20000
   and .protocol == "UDP" and .direction == "egress"'
# Each packet has 66 bytes of headers, timestamps included; SYN has 8 more of options.
check "each segment of a TCP transfer is counted" eventually has_flow \
  ".src_port == 5003 and .dst_port == 5004 and .bytes == $tcp_bytes + 66 * .packets + 8
   and .direction == \"egress\""
check "its answers are a flow of their own" has_flow \
  '.src_port == 5004 and .dst_port == 5003 and .direction == "ingress"'
check "four pings over IPv4 are a flow each way" eventually has_flow \
  '.protocol == "ICMP" and .icmp_type == 0 and .packets == 4 and .direction == "ingress"'
check "three pings over IPv6 are seen" eventually has_flow \
  '.protocol == "ICMPv6" and .icmp_type == 128 and .packets == 3'
check "a filter leaves the others out" \
  eval 'orb8 flows --port 5002 -o json | jq -se "length == 1" >/dev/null'
check "nothing was lost" has_status '.accounting.lost.packets == 0 and .events_dropped == 0'
check "the trace ended by itself" wait "$trace"
check "the trace told of the start" \
  jq -se 'any(.type == "flow_start" and .src_port == 5001)' "$logs/trace"
check "all that it told of the flow is all there was" \
  jq -se 'map(select(.src_port == 5001) | .bytes) | add == 20000' "$logs/trace"
check "the trace told of updates" jq -se 'any(.type == "flow_update")' "$logs/trace"
check "its summary says what was lost" grep -q " 0 lost" "$logs/trace-summary"

check "a second agent is told that the port is taken" \
  fails_with 1 "port is taken" inside "$bin/orb8-agent" --health-port 0
check "a wrong flag is named" fails_with 2 "--port: '99999'" orb8 flows --port 99999
check "a missing agent is named" \
  fails_with 1 "localhost:1" inside "$bin/orb8" --agent localhost:1 --connect-timeout 1s status

check "SIGTERM ends the agent in order" end_agent TERM
check "nothing stays attached" eventually are_unloaded
check "orb8 watches without an agent" \
  inside "$bin/orb8" trace network --standalone --interface lo --duration 1s

check "the agent starts again, and reads sockets" start_agent
check "its log names the socket probe" grep -q "Attached socket probe to tracepoint" "$logs/agent"
check "status says that it chose the sockets" \
  has_status '.healthy and .flow_source == "socket" and (.flow_source_reason | test("auto"))'
check "nothing is attached to eth0" has_status 'all(.programs[]; .interface != "eth0")'
inside "$bin/orb8" trace network --failed --standalone --duration 8s \
  >"$logs/failed" 2>"$logs/failed-summary" &
trace=$!
eventually grep -qs "tracing" "$logs/failed-summary"
send_tcp 5007 >/dev/null  # 5003 waits
send_udp
check "a connection to a closed port is refused" connect_in_vain

check "the payload of a TCP transfer is exact where it is sent" eventually has_flow \
  '.src_port == 5007 and .dst_port == 5004 and .direction == "egress"
   and .payload_bytes == 1000000 and .role == "client" and .process == "python3" and .rtt_us > 0'
check "and where it is received, in another network namespace" eventually has_flow \
  '.src_port == 5007 and .dst_port == 5004 and .direction == "ingress"
   and .payload_bytes == 1000000 and .role == "server" and .process == "python3"'
check "100 datagrams are 100 packets of 200 bytes, read from sockets" eventually has_flow \
  '.src_port == 5001 and .dst_port == 5002 and .direction == "egress"
   and .packets == 100 and .bytes == 20000 and .payload_bytes == 15800'
check "flows --failed knows the refused connection" eventually eval \
  'orb8 flows --failed --port 5006 -o json | jq -se \
   "length > 0 and all(.failure_reason == \"refused\" and .src_port + .dst_port == 10011)" \
   >/dev/null'
check "nothing is found where it did not fail" \
  eval 'orb8 flows --failed --port 5004 -o json | jq -se "length == 0" >/dev/null'
check "one row stands for a client's connections" \
  eval 'orb8 flows --collapse-ports --port 5004 | grep "10\.0\.0\.1:\* *10\.0\.0\.2:5004"'
check "the trace of failed connections ended by itself" wait "$trace"
check "it has the refused one, with its process and the reason" \
  grep -Eq ' END .* 10\.0\.0\.2:5006 .* python3 +refused$' "$logs/failed"
check "once, and nothing of the others" is_once "10\.0\.0\.2:500" "$logs/failed"
check "SIGKILL leaves nothing attached" \
  eval 'find_programs && end_agent KILL && eventually are_unloaded'

sum_up
