#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: docker-build.sh [release|local [image [archive]]]     the image is orb8:<version> by default
# Makes the container image with Docker, or Podman or Buildah where no Docker answers. `release` builds
# from source in a container; `local` takes the programs in build/bin, and needs no registry. The archive
# is what `docker load` reads. Whoever publishes the image names the address of its source in
# $ORB8_SOURCE_URL.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-release}
version=$(sed -n 's/^project(orb8 VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
image=${2:-orb8:$version}
archive=${3:-}

die() {
  echo "docker-build: $*" >&2
  exit 1
}

case $target in
  release) ;;
  local) deploy/rootfs.sh build/bin build/image ;;
  *) die "usage: $0 [release|local [image [archive]]]" ;;
esac

revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
created=$(date --utc --date "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
labels=(--label "org.opencontainers.image.created=$created")
[[ ! ${ORB8_SOURCE_URL:-} ]] || labels+=(--label "org.opencontainers.image.source=$ORB8_SOURCE_URL")

if docker info >/dev/null 2>&1; then
  builder=docker
elif command -v podman >/dev/null; then
  builder=podman
elif command -v buildah >/dev/null; then
  builder=buildah
else
  die "needs a running Docker, or Podman, or Buildah"
fi
"$builder" build --file deploy/Dockerfile --target "$target" --tag "$image" \
  --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "${labels[@]}" .

if [[ $archive ]]; then
  rm -f "$archive"
  case $builder in
    buildah) buildah push --quiet "$image" "docker-archive:$archive:$image" ;;
    *) "$builder" save --output "$archive" "$image" ;;
  esac
fi
echo "docker-build: $image, made with $builder"
