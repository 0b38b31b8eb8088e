#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: lint.sh         checks format, doors, licence lines, sizes, shell scripts, manifests, and clang-tidy
#        lint.sh --fix   formats the C and C++ files, nothing else
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -d '' -t code < <(git ls-files -z --cached --others --exclude-standard -- '*.h' '*.c' '*.cc')
mapfile -d '' -t shell < <(git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run)

if [[ ${1:-} == --fix ]]; then
  echo "fmt: ${#code[@]} files"
  clang-format-19 -i "${code[@]}"
  exit
fi

failed=()
step() {
  local name=$1 what=$2
  shift 2
  echo "lint: $name ($what)"
  "$@" || failed+=("$name")
}

step format "${#code[@]} files; make fmt mends them" clang-format-19 --dry-run -Werror "${code[@]}"
step doors "who may include whom" scripts/check_doors.py
step sources "licence lines, sizes, owners" scripts/check_sources.py
step self-test "the checks themselves" python3 scripts/check_doors_test.py -q
step shell "${#shell[@]} scripts" shellcheck "${shell[@]}"
step manifests "what is in deploy/" scripts/check_manifests.sh
if scripts/build.sh release orb8_generated; then
  step tidy "clang-tidy on what changed since it last passed" scripts/tidy.py build/release
else
  failed+=(tidy)
fi

if ((${#failed[@]} > 0)); then
  echo "lint: failed: ${failed[*]}" >&2
  exit 1
fi
echo "lint: clean"
