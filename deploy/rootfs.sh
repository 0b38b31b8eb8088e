#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: rootfs.sh <programs> <folder>
# Fills <folder> with all that a container of orb8 consists of: the programs, the libraries that they
# load, and who made those libraries, where scanners look for it. No shell, no package manager.
set -euo pipefail

programs=("$1/orb8" "$1/orb8-agent")
root=$2
rm -rf "$root"
mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,usr/local/bin,var/lib/dpkg/status.d}

install --strip "${programs[@]}" "$root/usr/local/bin/"
# The one that the programs load themselves, when they first need it.
curl=$(ldconfig -p | awk '$1 == "libcurl.so.4" { print $NF; exit }')
: "${curl:?rootfs: there is no libcurl.so.4}"
mapfile -t libraries < <(echo "$curl" && ldd "${programs[@]}" "$curl" | awk '$2 == "=>" { print $3 } $1 ~ /^\// && /0x/ { print $1 }' | sort -u)
cp --parents --dereference "${libraries[@]}" "$root"

# dpkg may know a library by its path below /usr alone, or by the one without.
package_of() {
  local path
  path=$(readlink -f "$1")
  { dpkg-query --search "$path" || dpkg-query --search "${path#/usr}"; } 2>/dev/null | cut -d: -f1
}
for library in "${libraries[@]}"; do package_of "$library"; done | sort -u |
  while read -r package; do
    dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
    cp --parents "/usr/share/doc/$package/copyright" "$root"
  done

cp --parents --dereference /etc/ssl/certs/ca-certificates.crt "$root"
echo 'root:x:0:0:root:/:/usr/sbin/nologin' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"

size=$(du --summarize --block-size=M --apparent-size "$root" | cut -dM -f1)
if ((size > 120)); then
  echo "rootfs: $root has $size MiB, 120 are allowed" >&2
  exit 1
fi
