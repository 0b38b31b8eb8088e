#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: vm.sh up | shell | status | stop | delete | run COMMAND...
# The Linux machine that developers on macOS build and test in, by Lima: .lima/orb8-dev.yaml. This tree
# is there under the same path.
set -euo pipefail
cd "$(dirname "$0")/.."

name=orb8-dev

command -v limactl >/dev/null || {
  echo "vm: needs Lima: brew install lima" >&2
  exit 1
}
exists() { limactl list --quiet | grep -qx "$name"; }
inside() { limactl shell --workdir "$PWD" "$name" "$@"; }

up() {
  if exists; then
    limactl start "$name"
  else
    limactl start --tty=false --name "$name" --set \
      ".mounts = [{\"location\": \"$PWD\", \"writable\": true}]" .lima/orb8-dev.yaml
  fi
}

case ${1:-} in
  up) up ;;
  shell) up && inside ;;
  run) up && inside "${@:2}" ;;
  status) if exists; then limactl list "$name"; else echo "vm: there is none; make dev makes one"; fi ;;
  stop) ! exists || limactl stop "$name" ;;
  delete) ! exists || limactl delete --force "$name" ;;
  *)
    echo "usage: $0 up | shell | status | stop | delete | run COMMAND..." >&2
    exit 2
    ;;
esac
