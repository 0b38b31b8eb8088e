#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs all tests: release, then under the address, undefined behaviour and thread
# sanitizers, and each fuzz target for a short time. Kernel tests need root: sudo is used.
# With CI=true a test that cannot run for want of something fails instead of being skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

# Tests against the Kubernetes API are skipped where this cannot be made. In CI the end-to-end test
# follows, which needs more of it: one build of all is shorter than two.
part=$([[ ${CI:-} == true ]] && echo node || echo api)
if ! ORB8_KUBE_PROGRAMS=$(tests/e2e/kubernetes.sh "$part") && [[ ${CI:-} == true ]]; then exit 1; fi
export ORB8_KUBE_PROGRAMS

scripts/build.sh release
scripts/build.sh asan orb8_tests
scripts/build.sh tsan orb8_tests
scripts/build.sh clang orb8_fuzzers

# One ctest run over the presets, so that it closes with one summary. The names of the clang
# preset's other tests start with "clang.": they are not built here.
printf 'subdirs(%s)\n' release asan tsan clang >build/CTestTestfile.cmake
run=(ctest --test-dir build --exclude-regex '^clang\.' --output-on-failure
  --parallel "$(nproc)" --no-tests=error)
[[ ${CI:-} != true ]] || export ORB8_REQUIRE_BPF=1
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "test: kernel tests need root: install sudo, or run as root" >&2
    exit 1
  fi
  run=(sudo "--preserve-env=CI,ORB8_REQUIRE_BPF,ORB8_KUBE_PROGRAMS" "${run[@]}")
  # The log that root writes stays the user's.
  trap 'sudo chown -R "$(id -u):$(id -g)" build/Testing' EXIT
fi

echo "test: release, asan, tsan and fuzz targets"
"${run[@]}"
