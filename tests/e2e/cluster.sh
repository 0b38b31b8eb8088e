#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: cluster.sh up             as root: a Kubernetes of one node on this machine
#        cluster.sh check          whether nothing stands in the way of that
#        cluster.sh down
#        cluster.sh load FILE      puts the images of a docker archive into the node's containerd
#        cluster.sh exec COMMAND   as a process of the node, outside any pod
#        cluster.sh env            prints what the shell needs for kubectl: eval "$(... env)"
# A real one: kubelet, containerd, CNI, kube-proxy, RBAC. The node has a network namespace and a mount
# namespace of its own, so that nothing of the machine changes and all is gone when its processes end;
# processes and cgroups are the machine's, as those of a node are. Nodes of kubernetes.sh node.
set -euo pipefail
cd "$(dirname "$0")/../.."

state=${ORB8_CLUSTER:-/tmp/orb8-cluster}
node_ip=198.18.0.2  # of RFC 2544's range for tests: nobody routes it
host_ip=198.18.0.1
patience_s=180

die() {
  echo "cluster: $*" >&2
  exit 1
}

# The mount point of cgroup v2: below /unified on a hybrid machine.
v2_root() { awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts; }
node_group() { echo "$(v2_root)/orb8-node"; }   # what is outside pods: daemons, shims
pods_group() { echo "$(v2_root)/kubepods"; }    # made by the kubelet

kubectl() { env KUBECONFIG="$state/admin.conf" "$kube/bin/kubectl" "$@"; }
inside() { nsenter --mount --net --target "$(cat "$state/node.pid")" "$@"; }

# eventually <what> <command...>: waits for it, as long as the node's daemons live.
eventually() {
  local what=$1 end=$((SECONDS + patience_s))
  shift
  until "$@" >/dev/null 2>&1; do
    kill -0 "$(cat "$state/node.pid")" 2>/dev/null || die "no $what: $(tail -n 1 "$state/node.log"); see $state/*.log"
    ((SECONDS < end)) || die "no $what after $patience_s s; see $state/*.log"
    read -rt 0.2 <> <(:) || true
  done
}

check() {
  [[ ! -e $state ]] || die "$state is there: is a cluster up? $0 down ends it"
  [[ ! -e $(pods_group) ]] || die "$(pods_group) is there: this machine is a node already"
}

up() {
  local start=$SECONDS
  check
  scripts/install-deps.sh iptables conntrack openssl buildah libseccomp2
  kube=$(tests/e2e/kubernetes.sh node)
  mkdir -p "$state"
  ip netns add orb8-node
  ip link add orb8-node type veth peer name eth0 netns orb8-node
  ip addr add "$host_ip/30" dev orb8-node
  ip link set orb8-node up
  ip -n orb8-node link set lo up
  ip -n orb8-node link set eth0 up
  ip -n orb8-node addr add "$node_ip/30" dev eth0
  ip -n orb8-node route add default via "$host_ip"
  tests/e2e/cluster/files.sh "$state" "$kube" "$node_ip"

  mkdir "$(node_group)"
  (
    echo "$BASHPID" >"$(node_group)/cgroup.procs"
    exec setsid nsenter --net=/run/netns/orb8-node unshare --mount \
      tests/e2e/cluster/node.sh "$state" "$kube" "$node_ip"
  ) >"$state/node.log" 2>&1 </dev/null &
  echo "$!" >"$state/node.pid"
  tests/e2e/cluster/images.sh "$state" "$kube"  # while the API server comes up
  eventually "API server" kubectl get --raw /readyz
  eventually "containerd" inside "$kube/root/usr/bin/ctr" version
  load "$state/pause.tar"
  load "$state/busybox.tar"
  eventually "ready node" kubectl wait --for=condition=Ready node/node-1 --timeout=1s
  eventually "service account" kubectl get serviceaccount default
  echo "cluster: up in $((SECONDS - start)) s; kubectl finds it with: eval \"\$($0 env)\""
}

load() {
  inside "$kube/root/usr/bin/ctr" --namespace k8s.io images import "$(realpath "$1")" >/dev/null
}

# All processes of a cgroup, those below included, and then the cgroup in every hierarchy.
end_group() {
  local group
  if [[ -e $1 ]]; then
    echo 1 >"$1/cgroup.kill" 2>/dev/null ||
      find "$1" -name cgroup.procs -print0 | xargs -0 cat | xargs -r kill -KILL || true  # before 5.14
    while grep -q 'populated 1' "$1/cgroup.events"; do read -rt 0.1 <> <(:) || true; done
  fi
  for group in "$1" /sys/fs/cgroup/*/"${1##*/}"; do
    [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} +
  done
}

down() {
  end_group "$(node_group)"
  [[ ! -e $state ]] || end_group "$(pods_group)"  # without it they are another node's
  ip netns del orb8-node 2>/dev/null || true
  ip link del orb8-node 2>/dev/null || true
  rm -rf "$state"
}

((EUID == 0)) || die "needs root"
kube=${ORB8_KUBE_PROGRAMS:-${XDG_CACHE_HOME:-$HOME/.cache}/orb8/kube}
case ${1:-} in
  up | check | down) "$1" ;;
  load) load "${2:?a file}" ;;
  exec) inside "${@:2}" ;;
  env) echo "export KUBECONFIG=$state/admin.conf PATH=$kube/bin:\$PATH" ;;
  *) die "usage: $0 up|check|down|load FILE|exec COMMAND|env" ;;
esac
