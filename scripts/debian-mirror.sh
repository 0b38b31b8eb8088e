#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the Debian mirror that this machine's own apt is set to, or $ORB8_DEBIAN_MIRROR.
set -euo pipefail

mirror() {
  # shellcheck source=/dev/null
  . /etc/os-release
  # shellcheck disable=SC2016  # the variable is apt's
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    "Codename: ${VERSION_CODENAME:-}" 'Component: main' | head -n 1
}

from=${ORB8_DEBIAN_MIRROR:-$(mirror)}
[[ $from ]] || { apt-get -qq update && from=$(mirror); }
[[ $from ]] || {
  echo "mirror: apt knows no Debian mirror here; name one in ORB8_DEBIAN_MIRROR" >&2
  exit 1
}
echo "$from"
