#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: initramfs.sh programs <cpio> <test list> <bin folder>     what each guest has
#        initramfs.sh modules <cpio> <kernel folder> <filter>      what one kernel's guest has
# Two archives, since a kernel unpacks any number of them one behind the other. Not compressed: an
# emulated processor takes longer to unpack than to read. The test list has a name, a program and a
# timeout in a line, with tabs between; <filter> is the GoogleTest pattern of tests that the kernel cannot pass.
set -euo pipefail

what=$1
cpio=$2
shift 2
root=$(mktemp -d /tmp/orb8-initramfs.XXXXXX)
trap 'rm -rf "$root"' EXIT

# With the libraries it is linked with.
add_program() {
  local from=$1 to=$2 library
  strip -o "$root/$to" "$from" 2>/dev/null || cp -L "$from" "$root/$to"
  while read -r library; do
    mkdir -p "$root/$(dirname "$library")"
    [[ -e $root/$library ]] || cp -L "$library" "$root/$library"
  done < <(ldd "$from" 2>/dev/null | grep -oE '/[^ ]+')
}

programs() {
  local tests=$1 bin=$2 tool name program timeout
  mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},busybox,dev,proc,sys,run,tmp,etc,orb8/{bin,tests}}
  for name in bin sbin lib lib64; do ln -s "usr/$name" "$root/$name"; done

  # dash and not busybox's shell, which takes its own ip before iproute2's.
  add_program /bin/dash usr/bin/sh
  for tool in ip tc ethtool iperf3 ping modprobe iptables; do
    add_program "$(command -v "$tool")" "usr/sbin/$tool"
  done
  for folder in /usr/lib/*/xtables; do # where iptables looks for what its rules say
    mkdir -p "$root/$folder"
    cp "$folder"/libxt_*.so "$root/$folder"
  done
  cp "$(command -v busybox)" "$root/busybox/busybox"
  for name in $(busybox --list); do
    [[ $name == busybox ]] || ln -s busybox "$root/busybox/$name"
  done

  for program in orb8 orb8-agent; do add_program "$bin/$program" "orb8/bin/$program"; done
  while IFS=$'\t' read -r name program timeout; do
    add_program "$program" "orb8/tests/$name"
    echo "$name $timeout" >>"$root/orb8/tests.txt"
  done <"$tests"
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"
  install -m 755 "$(dirname "$0")/guest.sh" "$root/init"
}

# What networks are made of, and what that depends on; the guest's kernel asks for what it needs.
modules() {
  local kernel=$1 filter=$2 release part
  release=$(cat "$kernel/release")
  local to=$root/usr/lib/modules/$release
  mkdir -p "$to/kernel/drivers" "$root/orb8"
  for part in net lib crypto arch drivers/net; do
    cp -r "$kernel/root/lib/modules/$release/kernel/$part" "$to/kernel/$part"
  done
  touch "$to"/modules.{order,builtin,builtin.modinfo}
  ln -s usr/lib "$root/lib"
  depmod -b "$root" "$release"
  rm "$root/lib"
  echo "$filter" >"$root/orb8/filter"
}

"$what" "$@"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$cpio.new"
mv "$cpio.new" "$cpio"
