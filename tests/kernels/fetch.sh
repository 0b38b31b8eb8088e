#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: fetch.sh <name> <folder> <suite>...
# Unpacks the newest Debian cloud kernel called <name> into <folder>: vmlinuz, root/ (modules), and
# `release`, written last. Nothing is installed and the machine's own apt lists stay as they are. A
# folder that has a release is left alone: remove it to get a newer kernel.
set -euo pipefail

name=$1
folder=$2
shift 2
[[ ! -e $folder/release ]] || exit 0

die() {
  echo "kernels: $*" >&2
  exit 1
}

mirror=$("$(dirname "$0")/../../scripts/debian-mirror.sh")
rm -rf "$folder"
mkdir -p "$folder"/{lists/partial,archives/partial,root}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
signed=$([[ ! -e $keyring ]] || echo "[signed-by=$keyring]")
for suite in "$@"; do echo "deb $signed $mirror $suite main"; done >"$folder/sources.list"

options=(-qq -o Dir::Etc::SourceList="$PWD/$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$PWD/$folder/lists" -o Dir::Cache="$PWD/$folder" -o Acquire::Languages=none
  -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >&2 || die "the package lists of $* could not be fetched"

pattern='s/^linux-image-([0-9].*)-cloud-amd64$/\1/p'
release=$(apt-cache "${options[@]}" pkgnames linux-image- | sed -nE "$pattern" | sort -V |
  { [[ $name == newest ]] && cat || grep -E "^${name//./\\.}\."; } | tail -n 1) ||
  die "no kernel $name in $*"
release+=-cloud-amd64

# From 7.3 on the image and the modules have packages of their own.
mapfile -t packages < <(apt-cache "${options[@]}" pkgnames linux- |
  grep -E "^linux-(image|binary|modules)-${release//+/\\+}\$")
(cd "$folder/archives" && apt-get "${options[@]}" download "${packages[@]}" >&2)
for package in "$folder"/archives/*.deb; do dpkg-deb -x "$package" "$folder/root"; done
[[ -d $folder/root/lib ]] || ln -s usr/lib "$folder/root/lib"

vmlinuz=$(find "$folder/root" -name 'vmlinuz*' | head -n 1)
[[ $vmlinuz ]] || die "no vmlinuz in ${packages[*]}"
mv "$vmlinuz" "$folder/vmlinuz"
rm -rf "$folder"/{lists,archives,*.bin}
echo "$release" >"$folder/release"
