#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: install-deps.sh [package...]
# Installs the distribution packages that building and testing orb8 needs, and those named; does
# nothing, quickly, when they are there. Debian 12, Debian 13, Ubuntu 24.04.
set -euo pipefail

say() { echo "deps: $*"; }
die() {
  echo "deps: $*" >&2
  exit 1
}

[[ ${ORB8_SKIP_DEPS:-} != 1 ]] || { say "not checked, as ORB8_SKIP_DEPS=1 asks"; exit 0; }

packages=(
  # compilers and build tools
  g++ cmake ninja-build ccache pkgconf git python3
  clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev shellcheck
  # libraries
  libbpf-dev libmnl-dev libgrpc++-dev libprotobuf-dev protobuf-compiler
  protobuf-compiler-grpc libspdlog-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev
  libcpp-httplib-dev libcurl4-openssl-dev libsimdjson-dev prometheus-cpp-dev
  libgtest-dev libgmock-dev libbenchmark-dev
  # what the tests run
  iproute2 iputils-ping iptables ethtool iperf3 procps kmod curl jq openssl
  python3-jsonschema
  "$@"
)

# shellcheck source=/dev/null
. /etc/os-release
case "$ID ${VERSION_ID:-}" in
  "debian 12" | "debian 13") packages+=(bpftool) ;;
  "ubuntu 24.04") packages+=(linux-tools-common linux-tools-generic) ;;
  *) die "knows Debian 12, Debian 13 and Ubuntu 24.04, not ${PRETTY_NAME:-$ID}; install the" \
    "packages named in $0 yourself and set ORB8_SKIP_DEPS=1" ;;
esac

# libbpf 1.3 brought TCX links.
libbpf_is_old() {
  ! dpkg --compare-versions "$(dpkg-query -W -f '${Version}' libbpf-dev 2>/dev/null || echo 0)" ge 1:1.3
}

installed=" $(dpkg-query -W -f '${db:Status-Status}/${Package} ' "${packages[@]}" 2>/dev/null || true)"
missing=()
for package in "${packages[@]}"; do
  if [[ $installed != *" installed/$package "* ]] || { [[ $package == libbpf-dev ]] && libbpf_is_old; }; then
    missing+=("$package")
  fi
done
if ((${#missing[@]} == 0)) && command -v promtool >/dev/null; then
  say "nothing missing"
  exit 0
fi

root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || die "needs root to install ${missing[*]}: run as root, or install sudo"
  root=(sudo)
fi

log=$(mktemp /tmp/orb8-deps.XXXXXX)
sources=$(mktemp -d /tmp/orb8-apt.XXXXXX)
trap 'rm -rf "$log" "$sources"' EXIT
apt() {
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" \
    >>"$log" 2>&1
}

((${#missing[@]} == 0)) || say "installing ${missing[*]}"
apt update || say "some package lists could not be fetched; going on with the others"

# Debian 12 has libbpf 1.1. Backports is read for this one call from a folder that is removed
# afterwards: the machine's own list of sources stays as it is.
options=()
if [[ "$ID ${VERSION_ID:-}" == "debian 12" ]] && libbpf_is_old; then
  say "taking libbpf from bookworm-backports, for this call only"
  mirror=$("$(dirname "$0")/debian-mirror.sh")
  cp /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list "$sources" 2>/dev/null || true
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  signed=$([[ ! -e $keyring ]] || echo "[signed-by=$keyring]")
  echo "deb $signed $mirror bookworm-backports main" >"$sources/orb8-backports.list"
  chmod -R a+rX "$sources"
  options=(-o "Dir::Etc::SourceParts=$sources")
  apt update "${options[@]}" || true
  # libbpf1 is named as well, since apt would otherwise keep it at the release's version.
  missing=("${missing[@]/#libbpf-dev/libbpf-dev/bookworm-backports}" libbpf1/bookworm-backports)
fi

if ((${#missing[@]} > 0)) && ! apt install -y --no-install-recommends "${options[@]}" "${missing[@]}"; then
  grep -E '^(E|W|Err|Ign):?' "$log" | tail -n 5 >&2 || tail -n 5 "$log" >&2
  die "apt-get could not install ${missing[*]}: is the network up, and the mirror in /etc/apt right?"
fi
libbpf_is_old && die "libbpf is older than 1.3 even now; see $0"

# Of the package prometheus the two programs that tests run, into /usr/local/bin: installed, it starts
# a server, now and with the machine, on the agent's own port.
if ! command -v promtool >/dev/null; then
  say "taking prometheus and promtool out of their package"
  (cd "$sources" && apt download prometheus) ||
    die "apt-get could not download prometheus: is the network up, and the mirror in /etc/apt right?"
  dpkg-deb --fsys-tarfile "$sources"/prometheus_*.deb |
    "${root[@]}" tar -x -C /usr/local/bin --strip-components=3 ./usr/bin/prometheus ./usr/bin/promtool ||
    die "could not unpack prometheus into /usr/local/bin"
fi
say "installed"
