#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: images.sh <state> <kube>
# Makes <state>/pause.tar, which holds a pod together, and <state>/busybox.tar, by the name that
# manifests know it by.
set -euo pipefail

state=$1
kube=$2
root=$state/busybox
mkdir -p "$root"/{bin,etc,tmp}
cp "$kube/root/bin/busybox" "$root/bin/"
for applet in sh mkdir sleep wget httpd nc ping ip cat ls ps; do ln -s busybox "$root/bin/$applet"; done
echo root:x:0:0:root:/:/bin/sh >"$root/etc/passwd"

cat >"$state/Dockerfile" <<'DOCKERFILE'
FROM scratch AS busybox
COPY busybox/ /
CMD ["sh"]
FROM busybox AS pause
ENTRYPOINT ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"]
DOCKERFILE

box() { buildah --root "$state/buildah" --runroot "$state/buildah-run" --storage-driver vfs "$@"; }

# image <target> <name>
image() {
  box build --quiet --target "$1" --tag "$2" --file "$state/Dockerfile" "$state" >/dev/null
  box push --quiet "$2" "docker-archive:$state/$1.tar:$2"
}
image busybox docker.io/library/busybox:1.36
image pause localhost/pause:1
