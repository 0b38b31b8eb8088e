#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first process of a guest of scripts/kernel-matrix.sh: runs each test program, then the agent
# and the command line, and powers off. The kernel has the first serial port; what the second one
# gets is the report. Lines that begin with @ are for tests/kernels/report.py.
export PATH=/usr/sbin:/usr/bin:/busybox:/orb8/bin HOME=/ TERM=dumb LANG=C.UTF-8
mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS1 2>&1
stty -F /dev/ttyS1 -opost

end() {
  sync
  poweroff -f
}
trap end EXIT

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs trace /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mkdir -p /run/netns /dev/pts /dev/shm
# Servers have their services in cgroups below the root.
mkdir /sys/fs/cgroup/tests
echo 1 >/sys/fs/cgroup/tests/cgroup.procs
hostname guest
ip link set lo up
modprobe tun    # has no request of its own: the device file comes with it
ip link add eth0 type veth peer name uplink
ip link set eth0 up
ip link set uplink up

seconds() { cut -d . -f 1 /proc/uptime; }
count() { grep -c "$1" /tmp/log; }

# run_test <name> <timeout>
run_test() {
  echo "--- $1"
  total=$("/orb8/tests/$1" --gtest_list_tests | grep -c '^  ')
  start=$(seconds)
  ORB8_REQUIRE_BPF=1 ORB8_BIN_DIR=/orb8/bin timeout "$2" "/orb8/tests/$1" --gtest_color=no \
    --gtest_filter="-$(cat /orb8/filter)" >/tmp/log 2>&1
  code=$?
  cat /tmp/log
  echo "@test $1 total=$total passed=$(count '^\[       OK ')" \
    "failed=$(count '^\[  FAILED  .* ms)$') skipped=$(count '^\[  SKIPPED .* ms)$')" \
    "seconds=$(($(seconds) - start)) exit=$code"
}

# Until the command succeeds, for so many seconds at most.
eventually() {
  end_s=$(($(seconds) + $1))
  shift
  until "$@"; do
    [ "$(seconds)" -lt "$end_s" ] || return 1
    sleep 0.2
  done
}

# check <what> <command...>
check() {
  what=$1
  shift
  if "$@" >/tmp/check 2>&1; then
    echo "@check ok $what"
  else
    echo "@check failed $what"
    cat /tmp/check
  fi
}

has_ping() {
  ping -qc 1 10.0.0.1 >/dev/null
  orb8 "$@" flows --protocol icmp -o json >/tmp/flows && grep -q ICMP /tmp/flows
}
# The default source is what this kernel can do, and where that is the second best the log says why.
has_the_right_source() {
  orb8 --agent localhost:9090 status -o json >/tmp/status
  if grep -q 'SocketSourceTest' /orb8/filter; then
    grep -q '"flow_source":"tc"' /tmp/status &&
      grep -q 'flow source tc: Linux .* cannot tell flows of sockets' /tmp/agent.log
  else
    grep -q '"flow_source":"socket"' /tmp/status
  fi
}
stop_agent() {
  kill -TERM "$agent"
  wait "$agent"
}
stands_alone() {
  ping -qi 0.2 10.0.0.1 >/dev/null &
  pinging=$!
  orb8 --standalone flows --protocol icmp --duration 3s -o json >/tmp/flows
  code=$?
  kill "$pinging"
  [ "$code" = 0 ] && grep -q ICMP /tmp/flows
}

try_programs() {
  ip addr add 10.0.0.1/24 dev eth0
  ip route add default via 10.0.0.2
  orb8-agent >/tmp/agent.log 2>&1 &
  agent=$!
  check "the agent starts" eventually 60 grep -q 'gRPC server listening' /tmp/agent.log
  check "the agent has the flow source of this kernel" has_the_right_source
  check "the agent counts a ping" eventually 30 has_ping --agent localhost:9090
  echo "@status $(orb8 --agent localhost:9090 status -o json)"
  check "the agent stops in order" stop_agent
  sed 's/^/@agent /' /tmp/agent.log
  check "orb8 watches without an agent" stands_alone
}

echo "@kernel $(uname -r)"
while read -r name timeout; do
  run_test "$name" "$timeout"
done </orb8/tests.txt
try_programs
echo "@end seconds=$(seconds)"
