#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: node.sh <state> <kube> <node-ip>     in the node's namespaces, which end with it
# Runs the programs of the cluster, each with its log in <state>; ends when one of them does.
set -euo pipefail

state=$1
kube=$2
node_ip=$3
pki=$state/pki
export PATH=$kube/bin:$kube/root/usr/bin:$kube/root/usr/sbin:$PATH
ulimit -n 1048576 2>/dev/null || true

# Where programs write without being asked: the machine's own stays as it is. Mounts pass from the
# node to its pods, and not further.
for folder in /run /var/lib/kubelet /var/log; do
  mkdir -p "$folder" "$state/node$folder"
  mount --bind "$state/node$folder" "$folder"
done
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
mount --make-rshared /

# The answer of a pod behind a Service must pass iptables, also where it need not leave the bridge.
modprobe br_netfilter 2>/dev/null || true
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1

daemon() {
  "$@" >>"$state/${1##*/}.log" 2>&1 &
}

daemon etcd --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn
daemon containerd --config "$state/containerd.toml"
daemon kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address "$node_ip" \
  --authorization-mode RBAC --allow-privileged --service-cluster-ip-range 10.96.0.0/16 \
  --client-ca-file "$pki/ca.crt" --tls-cert-file "$pki/server.crt" \
  --tls-private-key-file "$pki/server.key" --kubelet-preferred-address-types InternalIP \
  --kubelet-client-certificate "$pki/admin.crt" --kubelet-client-key "$pki/admin.key" \
  --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$pki/tokens.key" --service-account-signing-key-file "$pki/tokens.key" \
  --feature-gates BoundServiceAccountTokenVolume=true  # as from 1.21 on: tokens that expire

until curl -sf --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" \
  https://127.0.0.1:6443/readyz >/dev/null; do
  read -rt 0.2 <> <(:) || true
done
for program in kube-controller-manager kube-scheduler; do
  flags=(--kubeconfig "$state/admin.conf" --bind-address 127.0.0.1 --leader-elect=false)
  [[ $program != kube-controller-manager ]] ||
    flags+=(--service-account-private-key-file "$pki/tokens.key" --root-ca-file "$pki/ca.crt")
  daemon "$program" "${flags[@]}"
done
daemon kubelet --config "$state/kubelet.yaml" --kubeconfig "$state/admin.conf" \
  --hostname-override node-1 --node-ip "$node_ip" --container-runtime remote \
  --container-runtime-endpoint unix:///run/containerd/containerd.sock
daemon kube-proxy --config "$state/proxy.yaml"

wait -n
echo "one of the programs ended"
exit 1
