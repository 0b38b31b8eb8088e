#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: portability.sh [suite]     as root; the suite is trixie (Debian 13) when none is named
# Builds the tree and runs its unit tests on another Debian: in a chroot that has nothing but the
# base system, git and make at first, and is kept in the user's cache folder for the next time.
# The packages come from this machine's own mirror, or from $ORB8_DEBIAN_MIRROR.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${1:-trixie}
root=${XDG_CACHE_HOME:-$HOME/.cache}/orb8/chroot/$suite

die() {
  echo "portability: $*" >&2
  exit 1
}

((EUID == 0)) || die "needs root, for chroot"
command -v debootstrap >/dev/null || apt-get -qq install -y --no-install-recommends debootstrap

if [[ ! -e $root/.complete ]]; then
  from=$(scripts/debian-mirror.sh)
  echo "portability: making a $suite chroot in $root"
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$root" "$from" \
    >"$root.log" 2>&1 || die "debootstrap failed: $(tail -n 1 "$root.log"); see $root.log"
  touch "$root/.complete"
fi

# How this machine reaches its mirror holds in the chroot too.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
grep -l 'Acquire::' /etc/apt/apt.conf.d/* | xargs -r cp -t "$root/etc/apt/apt.conf.d"

# The tree as it stands, uncommitted changes included; its build folder there is kept.
mkdir -p "$root/src"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard |
  tar --null --files-from=- --ignore-failed-read -cf - 2>/dev/null | tar -C "$root/src" -xf -

echo "portability: building on $suite"
# shellcheck disable=SC2016  # expanded in the chroot
exec unshare --mount --pid --fork --kill-child bash -euo pipefail -c '
  mount -t proc proc "$0/proc"
  mount --rbind /dev "$0/dev"
  exec chroot "$0" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 bash -euo pipefail -c "
    cd /src
    make build
    ctest --preset release --label-regex unit --parallel $(nproc)"
' "$root"
