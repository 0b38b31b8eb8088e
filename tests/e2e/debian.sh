# SPDX-License-Identifier: Apache-2.0
# Packages of Debian 12, fetched and unpacked beside the system: nothing is installed, and the
# machine's own package lists stay as they are. Sourced, in the tree's root; $kube is the folder for
# all of it, with its whole path.
# shellcheck shell=bash disable=SC2154

# The newest suite with the sources of a Kubernetes.
suite=bookworm

debian_get() {
  local at=$kube/apt mirror signed keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  local options=(-qq -o Dir::Etc::SourceList="$at/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State::Lists="$at/lists" -o Dir::Cache="$at" -o Acquire::Languages=none
    -o APT::Sandbox::User=root)
  if [[ ! -e $at/updated ]]; then
    mirror=$(scripts/debian-mirror.sh)
    rm -rf "$at"
    mkdir -p "$at"/{lists/partial,archives/partial}
    signed=$([[ ! -e $keyring ]] || echo "[signed-by=$keyring]")
    printf "%s $signed $mirror $suite main\n" deb deb-src >"$at/sources.list"
    apt-get "${options[@]}" update >&2
    touch "$at/updated"
  fi
  (cd "$at/archives" && apt-get "${options[@]}" "$@" >&2)
}

# unpack <folder> <package...>
unpack() {
  local to=$1 deb
  shift
  rm -f "$kube"/apt/archives/*.deb
  debian_get download "$@"
  mkdir -p "$to"
  for deb in "$kube"/apt/archives/*.deb; do dpkg-deb -x "$deb" "$to"; done
  rm -f "$kube"/apt/archives/*.deb
}
