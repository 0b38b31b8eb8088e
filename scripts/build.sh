#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: build.sh <preset> [target...]
# Configures and builds one CMake preset: on a terminal with ninja's progress, elsewhere in one line.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
log=build/$preset.log
mkdir -p build

# A compiler process takes up to 1 GiB on the gRPC headers.
jobs=$(nproc)
memory=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
((jobs <= memory)) || jobs=$((memory > 0 ? memory : 1))

build() {
  [[ -e build/$preset/build.ninja ]] || cmake --preset "$preset"
  cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

start=$SECONDS
echo "build: $preset${1:+ ($*)}, $jobs jobs, log in $log"
if [[ -t 1 ]]; then
  build "$@" 2>&1 | tee "$log"
elif ! build "$@" >"$log" 2>&1; then
  grep -E -A 14 '^FAILED|^CMake Error' "$log" | head -n 60 >&2
  echo "build: $preset failed, see $log" >&2
  exit 1
fi
echo "build: $preset ready after $((SECONDS - start)) s"
