#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: install.sh <prefix>     DESTDIR is honoured, as cmake does
# Installs what build/release holds; sudo is used where the prefix is not the user's to write.
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=$1
target=${DESTDIR:-}$prefix
existing=$target
while [[ ! -e $existing ]]; do
  existing=$(dirname "$existing")
done
root=()
if [[ ! -w $existing ]]; then
  command -v sudo >/dev/null || { echo "install: cannot write $existing, and there is no sudo" >&2; exit 1; }
  root=(sudo ${DESTDIR:+DESTDIR="$DESTDIR"})
fi
"${root[@]}" cmake --install build/release --prefix "$prefix" --strip >/dev/null
echo "install: $target/bin/orb8, $target/bin/orb8-agent"
