#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: soak.sh [duration]     as root; 10m by default, and 150s or 600 are durations too
# Runs the agent under connections that come and go and UDP with many peers, in network namespaces of
# its own, and samples it each 10 s. Fails when its memory, its flows or its maps' entries grow after
# the first minute, beyond what they were in the half minute that follows, or anything is lost. So two
# minutes are the least. Figures in build/soak.json.
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-10m}
if [[ ! $duration =~ ^([0-9]+)([ms]?)$ ]]; then
  echo "soak: '$duration' is no duration; 10m, 150s and 600 are" >&2
  exit 2
fi
seconds=$((10#${BASH_REMATCH[1]}))  # 08 is no octal number here
[[ ${BASH_REMATCH[2]} != m ]] || seconds=$((seconds * 60))
if ((seconds < 120)); then
  echo "soak: $duration is too short to see growth: 2m at least" >&2
  exit 2
fi
ORB8_SOAK_SECONDS=$seconds ORB8_BENCH_JSON=build/soak.json exec scripts/bench.sh soak
