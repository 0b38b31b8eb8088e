#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: bench.sh [part...]     as root; the parts are kernel, flood, agent, snapshot, churn,
#                            throughput, memory, kube, filter, json and metrics; all of them when
#                            none is named. soak runs for minutes and is one of its own: see soak.sh
# Measures the release build, prints a table and writes build/bench.json. The figures are those of
# this machine as it is: close what else is running.
set -euo pipefail
cd "$(dirname "$0")/.."

if ((EUID != 0)); then
  echo "bench: needs root, to load BPF programs and to make network namespaces" >&2
  exit 1
fi
# What root writes stays the user's.
hand_over() {
  [[ ${SUDO_UID:-} ]] || return 0
  chown -f "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "${ORB8_BENCH_JSON:-build/bench.json}" build/bench-agent.log || true
}
trap hand_over EXIT
build/release/tests/orb8_bench "$@"
