#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: gen-skeleton.sh <bpftool> <object> <name> <skeleton>
# Writes the header that embeds a BPF object as struct <name>_bpf; nothing is left when that fails.
# The analyzer finds leaks in bpftool's own error paths, hence NOLINT.
set -eu
{
  echo '// NOLINTBEGIN'
  "$1" gen skeleton "$2" name "$3_bpf"
  echo '// NOLINTEND'
} >"$4.new"
mv "$4.new" "$4"
