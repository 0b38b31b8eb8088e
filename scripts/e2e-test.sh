#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: e2e-test.sh         the agent as it is shipped, in a real cluster: does each flow have its pod's name?
#        e2e-test.sh down    takes away what was kept
# The cluster is the one in $KUBECONFIG, which can pull the image $ORB8_IMAGE; else one of kind, where
# there are kind and Docker; else one node of Kubernetes on this machine, as root (tests/e2e/cluster.sh).
# Uses the programs in build/bin. What it makes it takes away again, unless ORB8_KEEP=1; so it refuses to
# begin where something of the same name is there already.
set -euo pipefail
cd "$(dirname "$0")/.."

image=orb8:$(sed -n 's/^project(orb8 VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
work=$(mktemp -d)
check_log=$work/check
patience_s=20
# shellcheck source=scripts/checks.sh
. scripts/checks.sh

die() {
  echo "e2e: $*" >&2
  exit 1
}

down=$([[ ${1:-} != down ]] || echo yes)
if [[ ${KUBECONFIG:-} ]]; then
  cluster=given
  [[ ${ORB8_IMAGE:-} || $down ]] || die "name the image in ORB8_IMAGE, by which the cluster can pull it"
elif command -v kind >/dev/null && docker info >/dev/null 2>&1; then
  cluster=kind
else
  cluster=node
  keep=HOME,XDG_CACHE_HOME,ORB8_KUBE_PROGRAMS,ORB8_CLUSTER,ORB8_DEBIAN_MIRROR,ORB8_SKIP_DEPS,ORB8_KEEP,CI
  ((EUID == 0)) || exec sudo "--preserve-env=$keep" scripts/e2e-test.sh "$@"
fi

# What is there already would be changed, and in the end taken away with the rest.
refuse_what_is_there() {
  local there
  case $cluster in
    given)
      there=$(kubectl get --ignore-not-found -o name namespace/orb8-system namespace/orb8-e2e \
        clusterrole/orb8-agent clusterrolebinding/orb8-agent) || die "the cluster in KUBECONFIG does not answer"
      [[ ! $there ]] || die "the cluster in KUBECONFIG has ${there//$'\n'/, } already: name another cluster;" \
        "where it is of an earlier test, 'scripts/e2e-test.sh down' takes it away"
      ;;
    kind)
      there=$(kind get clusters)
      ! grep -qx orb8-e2e <<<"$there" ||
        die "kind has a cluster orb8-e2e already: 'scripts/e2e-test.sh down' takes it away"
      ;;
    node) tests/e2e/cluster.sh check ;;
  esac
}

make_cluster() {
  case $cluster in
    given) ;;
    kind)
      kind create cluster --name orb8-e2e --config deploy/kind-config.yaml --kubeconfig "$work/kubeconfig"
      export KUBECONFIG=$work/kubeconfig
      scripts/docker-build.sh local "$image" >"$work/image.log" 2>&1
      kind load docker-image "$image" --name orb8-e2e
      ;;
    node)
      tests/e2e/cluster.sh up
      eval "$(tests/e2e/cluster.sh env)"
      scripts/docker-build.sh local "$image" "$work/image.tar" >"$work/image.log" 2>&1 ||
        die "no image: $(tail -n 3 "$work/image.log")"
      tests/e2e/cluster.sh load "$work/image.tar"
      ;;
  esac
}

# remove <option> <path>: what the manifests made, and no error where some of it was never made.
remove() { kubectl delete --ignore-not-found --wait=false "$@"; }

end_cluster() {
  case $cluster in
    given)  # one at a time: kubectl takes -f or -k
      local undone=0
      remove -f deploy/e2e-test-pods.yaml || undone=1
      remove -k deploy/ || undone=1
      return "$undone"
      ;;
    kind) kind delete cluster --name orb8-e2e ;;
    node) tests/e2e/cluster.sh down ;;
  esac
}

made=  # yes: what is there is this test's
tidy_up() {
  local status=$?
  if [[ ! $made && ! $down ]]; then
    rm -rf "$work"
    return
  fi
  if [[ ${ORB8_KEEP:-} == 1 && ! $down ]]; then
    echo "e2e: kept, as ORB8_KEEP=1 asks; KUBECONFIG=${KUBECONFIG:-}"
    return
  fi
  if ! end_cluster >"$work/end" 2>&1; then
    echo "e2e: something is left behind; 'scripts/e2e-test.sh down' tries again: $(cat "$work/end")" >&2
    status=1
  fi
  rm -rf "$work"
  exit "$status"
}
trap tidy_up EXIT
[[ ! $down ]] || exit 0

pods() { kubectl --namespace orb8-e2e "$@"; }
field() { pods get pod "$1" -o "jsonpath={$2}"; }
orb8() { kubectl --namespace orb8-system exec "$agent" -- orb8 "$@" 2>"$work/orb8"; }
# has_flow <jq condition>: a flow of the node's agent meets it. Otherwise those that come near are told.
has_flow() {
  orb8 flows --limit 0 -o json >"$work/flows"
  jq -se "any($1)" "$work/flows" >/dev/null && return
  jq -c 'select(.protocol == "TCP" and ([.src_port, .dst_port] | any(IN(80, 8080, 18081, 18082))))
    | {namespace, pod_name, src_ip, src_port, dst_ip, dst_port, direction, process, dst_service, src, dst}' \
    "$work/flows" | tail -n 20
  return 1
}
# shows <pod> <address:port> <jq condition>: such a flow is there once the pod has asked for a page.
shows() {
  pods exec "$1" -- wget -qO- "http://$2/" >/dev/null
  has_flow "$3"
}
has_status() { orb8 status -o json | tee "$work/status" | jq -e "$1" >/dev/null || { cat "$work/status"; return 1; }; }
has_logged() { kubectl --namespace orb8-system logs "$agent" | grep -E "$1"; }
was_not_restarted() {
  [[ $(kubectl --namespace orb8-system get "$agent" -o 'jsonpath={.status.containerStatuses[0].restartCount}') == 0 ]]
}

refuse_what_is_there
made=yes
make_cluster
check "the manifests are taken as they are" kubectl apply -k deploy/
[[ ! ${ORB8_IMAGE:-} ]] || kubectl --namespace orb8-system set image daemonset/orb8-agent "agent=$ORB8_IMAGE"
check "the agent gets ready on each node" \
  kubectl --namespace orb8-system rollout status daemonset/orb8-agent --timeout=180s
check "pods to watch are started" kubectl apply -f deploy/e2e-test-pods.yaml
check "and run" pods wait --for=condition=Ready pods --all --timeout=180s

server=$(field server .status.podIP)
client=$(field client .status.podIP)
node=$(field server .status.hostIP)
web=$(pods get service web -o 'jsonpath={.spec.clusterIP}')
agent=$(kubectl --namespace orb8-system get pods -o name --selector app.kubernetes.io/component=agent \
  --field-selector "spec.nodeName=$(field server .spec.nodeName)")
[[ $server && $client && $node && $web && $agent ]] || die "no pods to test with: $(pods get pods -o wide)"

check "the log says how many pods are known" \
  eventually has_logged 'Pod watcher initial sync complete\. Tracking [1-9][0-9]* pods \(by IP\)'

# What a flow is called from its own side: namespace and pod_name.
is() { echo "(.namespace == \"orb8-e2e\" and .pod_name == \"$1\" and .direction == \"$2\")"; }
to() { echo "(.dst_ip == \"${1%:*}\" and .dst_port == ${1#*:})"; }
between() { echo "(.src_ip == \"$1\" and $(to "$2"))"; }

check "pod to pod: the client's side has its name" eventually shows client "$server:8080" \
  "$(is client egress) and $(between "$client" "$server:8080")"
check "pod to pod on one node: the server's side has its own" eventually shows client "$server:8080" \
  "$(is server ingress) and $(between "$client" "$server:8080")"
# Their address is whichever the node has on the way to the pod: a bridge's, mostly.
for pod in host-a host-b; do
  check "hostNetwork: $pod is the pod, not the node" eventually shows "$pod" "$server:8080" \
    "$(is "$pod" egress) and $(to "$server:8080")"
done
for pod in host-a:18081 host-b:18082; do
  check "hostNetwork: so is ${pod%:*} when it is asked" eventually shows client "$node:${pod#*:}" \
    "$(is "${pod%:*}" ingress) and $(between "$client" "$node:${pod#*:}")"
done
check "and neither is taken for the other" eval '! has_flow "
  (.dst_port == 18081 and .pod_name == \"host-b\") or (.dst_port == 18082 and .pod_name == \"host-a\")"'
check "Service: its name is kept beside the pod behind it" eventually shows client "$web:80" \
  "$(is client egress) and .dst_service == \"orb8-e2e/web\" and .dst.kind == \"pod\" and .dst.name == \"server\""
if [[ $(field far .spec.nodeName) != $(field server .spec.nodeName) ]]; then
  check "between nodes: the server's node knows the client by name" eventually shows far "$server:8080" \
    "$(is server ingress) and $(between "$(field far .status.podIP)" "$server:8080") and .src.name == \"far\""
fi

check "the agent is well" has_status '.healthy and .events_dropped == 0'
check "and was not restarted" was_not_restarted
sum_up
