#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: kubernetes.sh api      etcd, kube-apiserver and kubectl, for tests against the API
#        kubernetes.sh node     and all else that a node needs: kubelet, kube-proxy, containerd, ...
# Makes the programs of a real Kubernetes and prints their folder. Debian has the sources of one, and
# a Go that builds them: minutes, the first time; afterwards all is in the user's cache, or in
# $ORB8_KUBE_PROGRAMS. Needs no root where the compiler's helpers are installed.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=1.20.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/orb8
kube=${ORB8_KUBE_PROGRAMS:-$cache/kube-$version}
build=$kube/build

die() {
  echo "kubernetes: $*" >&2
  exit 1
}

programs=(kube-apiserver)
packages=(etcd-server kubernetes-client)
case ${1:-} in
  api) ;;
  node)
    programs+=(kube-controller-manager kube-scheduler kubelet kube-proxy)
    packages+=(containerd containernetworking-plugins busybox-static runc)
    ;;
  *) die "usage: $0 api|node" ;;
esac
# shellcheck source=tests/e2e/debian.sh
. tests/e2e/debian.sh

mkdir -p "$kube/bin"
exec 9>"$kube/lock"
flock 9  # two that need it at once make it once
[[ ${ORB8_KUBE_PROGRAMS:-} ]] || ln -sfn "kube-$version" "$cache/kube"

fetch_packages() {
  local package wanted=()
  for package in "${packages[@]}"; do
    [[ -e $kube/root/usr/share/doc/$package ]] || wanted+=("$package")
  done
  ((${#wanted[@]} > 0)) || return 0
  unpack "$kube/root" "${wanted[@]}"
  ln -sf ../root/usr/bin/{etcd,kubectl} "$kube/bin/"
}

fetch_sources() {
  [[ ! -e $build/kubernetes ]] || return 0
  echo "kubernetes: fetching the sources and a Go compiler" >&2
  unpack "$build/root" golang-1.19-src golang-1.19-go golang-github-modern-go-reflect2-dev
  debian_get source kubernetes
  local tree
  tree=$(echo "$kube"/apt/archives/kubernetes-*/)
  # Its reflect2 reads maps as they were before Go 1.18, by which the API server would crash.
  rm -r "$tree/vendor/github.com/modern-go/reflect2"
  cp -r "$build/root/usr/share/gocode/src/github.com/modern-go/reflect2" "$tree/vendor/github.com/modern-go/"
  mv "$tree" "$build/kubernetes"
}

# Without cgo, as Debian's own package; without the code of clouds and of Docker, which is a third of
# the work. Nothing of the caller's Go settings is to get in.
build_programs() {
  echo "kubernetes: building $* (a few minutes; log in $build/make.log)" >&2
  env -i HOME="$build" PATH="$build/root/usr/lib/go-1.19/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    CGO_ENABLED=0 GOFLAGS=-tags=providerless,dockerless \
    make -C "$build/kubernetes" WHAT="${*/#/cmd/}" >"$build/make.log" 2>&1 ||
    die "the build failed: $(tail -n 3 "$build/make.log"); see $build/make.log"
  local program
  for program in "$@"; do
    mv "$build"/kubernetes/_output/local/bin/*/*/"$program" "$kube/bin/"
  done
}

fetch_packages
missing=()
for program in "${programs[@]}"; do
  [[ -x $kube/bin/$program ]] || missing+=("$program")
done
if ((${#missing[@]} > 0)); then
  scripts/install-deps.sh dpkg-dev make rsync >&2
  fetch_sources
  build_programs "${missing[@]}"
  rm -rf "$build"
  echo "kubernetes: made in $SECONDS s" >&2
fi
rm -rf "$kube/apt"  # lists that are out of date name packages that are gone
echo "$kube"
