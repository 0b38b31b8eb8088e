#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what is in deploy/: kubectl reads the base and each overlay; Helm takes its chart and values, and
# makes of the defaults what the base says. A tool that is not here is named, with what was left out. In
# CI kubectl is made where it is missing; Helm is no package of Debian 12 or 13.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "manifests: $*" >&2
  failed=1
}

# CI's tests need all of Kubernetes' programs: one build of all is shorter than two.
kube=${ORB8_KUBE_PROGRAMS:-${XDG_CACHE_HOME:-$HOME/.cache}/orb8/kube}
[[ ${CI:-} != true ]] || kube=$(tests/e2e/kubernetes.sh node)
kubectl=$kube/bin/kubectl
[[ -x $kubectl ]] || kubectl=$(command -v kubectl || true)
if [[ ! $kubectl ]]; then
  echo "manifests: not checked, as there is no kubectl here; tests/e2e/kubernetes.sh api makes one" >&2
  [[ ${CI:-} != true ]]
  exit
fi

for folder in deploy deploy/monitoring deploy/overlays/*; do
  "$kubectl" kustomize "$folder" >"$work/${folder##*/}.yaml" 2>"$work/said" || fail "$folder: $(tail -n 1 "$work/said")"
done

# A PrometheusRule's spec is what a file of rules has at its top.
if command -v promtool >/dev/null; then
  sed -n '/^spec:/,$s/^  //p' deploy/monitoring/rules.yaml >"$work/rules.yml"
  cp tests/data/alert_rules_test.yaml "$work/"
  promtool test rules "$work/alert_rules_test.yaml" >"$work/said" 2>&1 || fail "alerts: $(cat "$work/said")"
else
  echo "manifests: the alerts are not checked, as there is no promtool here" >&2
  [[ ${CI:-} != true ]] || failed=1
fi

if ! command -v helm >/dev/null; then
  echo "manifests: the chart is not checked, as there is no helm here" >&2
  exit "$failed"
fi

helm lint --strict --quiet deploy/helm/orb8 || fail "helm lint"
! helm template orb8 deploy/helm/orb8 --set ports.grpc=none >/dev/null 2>&1 || fail "the schema lets a bad port pass"

# A line for each field, whatever the order of what has names; without the labels, which are a chart's own,
# and the namespace, which is Helm's.
fields() {
  "$kubectl" annotate --local --overwrite --filename "$1" checked=yes --output json |
    jq -r 'select(.kind != "Namespace") | del(.metadata.labels, .spec.template.metadata.labels) |
      walk(if type == "array" and all(.[]; type == "object" and has("name")) then sort_by(.name) else . end) |
      (.kind | ascii_downcase) as $kind | paths(scalars) as $path |
      "\($kind).\($path | map(tostring) | join(".")) = \(getpath($path))"' | sort
}
# chart_is <manifests> <values of the chart...>
chart_is() {
  helm template orb8 deploy/helm/orb8 --namespace orb8-system "${@:2}" >"$work/chart.yaml" || return
  diff <(fields "$work/$1.yaml") <(fields "$work/chart.yaml") >&2
}
chart_is deploy || fail "the chart's defaults (>) are not what kubectl apply -k deploy/ does (<)"
chart_is monitoring --set monitoring.podMonitor=true,monitoring.rules=true,monitoring.dashboards=true \
  --show-only templates/monitoring.yaml ||
  fail "the chart's monitoring (>) is not what deploy/monitoring does (<)"
chart_is runtime-socket --set runtimeSocket=/var/run/docker.sock ||
  fail "the chart's runtimeSocket (>) is not what deploy/overlays/runtime-socket does (<)"
exit "$failed"
