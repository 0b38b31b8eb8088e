#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: soak.sh [duration]     as root; 10m by default, and 60s or 600 are durations too
# Runs the agent under connections that come and go and UDP with many peers, in network namespaces of
# its own, and samples it each 10 s. Fails when its memory, its flows or its maps' entries grow after
# the first minute, or anything is lost. Figures in build/soak.json.
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-10m}
if [[ ! $duration =~ ^([0-9]+)([ms]?)$ ]]; then
  echo "soak: '$duration' is no duration; 10m, 60s and 600 are" >&2
  exit 2
fi
seconds=${BASH_REMATCH[1]}
[[ ${BASH_REMATCH[2]} != m ]] || seconds=$((seconds * 60))
ORB8_SOAK_SECONDS=$seconds ORB8_BENCH_JSON=build/soak.json exec scripts/bench.sh soak
