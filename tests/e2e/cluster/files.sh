#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: files.sh <state> <kube> <node-ip>
# Writes what the cluster's programs read: certificates, kubeconfig, configuration.
set -euo pipefail

state=$1
kube=$2
node_ip=$3
pki=$state/pki
mkdir -m 700 "$pki"
mkdir -p "$state/cni"

new_key() { openssl ecparam -genkey -name prime256v1 -noout -out "$pki/$1.key"; }

# certificate <name> <subject> <usage> [<other names>]: signed by the cluster's authority.
certificate() {
  new_key "$1"
  openssl req -new -key "$pki/$1.key" -subj "$2" | openssl x509 -req -CA "$pki/ca.crt" \
    -CAkey "$pki/ca.key" -CAcreateserial -days 30 -out "$pki/$1.crt" 2>/dev/null \
    -extfile <(printf 'extendedKeyUsage=%s\n%s\n' "$3" "${4:+subjectAltName=$4}")
}

new_key ca
openssl req -x509 -new -key "$pki/ca.key" -subj /CN=orb8-e2e -days 30 -out "$pki/ca.crt"
certificate server /CN=kube-apiserver serverAuth \
  "DNS:kubernetes.default.svc,IP:$node_ip,IP:127.0.0.1,IP:10.96.0.1"
# The node's programs are all this user: who may do what among them is not what is tested.
certificate admin /O=system:masters/CN=admin clientAuth
openssl genrsa -out "$pki/tokens.key" 2048 2>/dev/null  # of service accounts' tokens

cat >"$state/admin.conf" <<YAML
apiVersion: v1
kind: Config
current-context: e2e
contexts: [{name: e2e, context: {cluster: e2e, user: admin}}]
clusters:
- name: e2e
  cluster: {server: "https://$node_ip:6443", certificate-authority: $pki/ca.crt}
users:
- name: admin
  user: {client-certificate: $pki/admin.crt, client-key: $pki/admin.key}
YAML

cat >"$state/cni/10-bridge.conflist" <<JSON
{
  "cniVersion": "0.4.0",
  "name": "bridge",
  "plugins": [{
    "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
    "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": "10.244.0.0/24"}]],
             "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
JSON

# A machine that is itself confined can give a container no more than it has: runc would not start one
# that asks for CAP_SYS_RESOURCE. There it gets what there is.
names=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
  NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
  SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE
  AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ
  PERFMON BPF CHECKPOINT_RESTORE)
bounding=$((16#$(awk '/^CapBnd:/ { print $2 }' /proc/self/status)))
lacking='[]'
for i in "${!names[@]}"; do
  ((bounding >> i & 1)) || lacking=$(jq -c --arg name "CAP_${names[i]}" '. + [$name]' <<<"$lacking")
done
cat >"$state/runc" <<SH
#!/bin/sh
previous= file=
for word in "\$@"; do
  case \$previous in
    --bundle | -b) file=\$word/config.json ;;  # create, run
    --process | -p) file=\$word ;;  # exec
  esac
  previous=\$word
done
if [ "\$file" ]; then
  jq 'def cut: if .capabilities then .capabilities |= map_values(. - $lacking) else . end;
      if .process then .process |= cut else cut end' "\$file" >"\$file.new"
  mv "\$file.new" "\$file"
fi
exec $kube/root/usr/sbin/runc "\$@"
SH
chmod +x "$state/runc"
[[ $lacking != '[]' ]] || ln -sf "$kube/root/usr/sbin/runc" "$state/runc"
confined=$( (echo -998 >/proc/self/oom_score_adj) 2>/dev/null && echo false || echo true)

# All paths but these are containerd's own choice, as on a node.
cat >"$state/containerd.toml" <<TOML
version = 2
root = '$state/containerd'
[plugins.'io.containerd.grpc.v1.cri']
  sandbox_image = 'localhost/pause:1'
  restrict_oom_score_adj = $confined
[plugins.'io.containerd.grpc.v1.cri'.cni]
  bin_dir = '$kube/root/usr/lib/cni'
  conf_dir = '$state/cni'
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.runc.options]
  BinaryName = '$state/runc'
TOML

: >"$state/resolv.conf"
cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $pki/ca.crt}}
cgroupDriver: cgroupfs
failSwapOn: false
clusterDNS: [10.96.0.10]  # nobody answers there: pods are given addresses
resolvConf: $state/resolv.conf
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
syncFrequency: 1s
nodeStatusUpdateFrequency: 1s  # the node is ready when it says so next
YAML

cat >"$state/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/admin.conf}
clusterCIDR: 10.244.0.0/16
hostnameOverride: node-1
mode: iptables
conntrack: {maxPerCore: 0}
iptables: {minSyncPeriod: 100ms}
YAML
