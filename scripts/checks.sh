#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# For the tests that are scripts, which source it: what was checked, and waiting for what takes time.
# They set $check_log, a file for what a command says, and $patience_s, how long it may take.
: "${check_log:?}" "${patience_s:?}"
passed=0
failed=0

# check <what> <command...>: the command must succeed.
check() {
  local what=$1
  shift
  if "$@" >"$check_log" 2>&1; then
    echo "ok    $what"
    passed=$((passed + 1))
  else
    echo "FAIL  $what"
    tail -n 8 "$check_log" | sed 's/^/      /'
    failed=$((failed + 1))
  fi
}

# Until the command succeeds.
eventually() {
  local end=$((SECONDS + patience_s))
  until "$@"; do
    ((SECONDS < end)) || return 1
    read -rt 0.2 <> <(:) || true
  done
}

# The exit status is the script's.
sum_up() {
  echo "$passed passed, $failed failed"
  ((failed == 0))
}
