#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks what is in deploy/ as far as the tools are here: kubectl reads the base and each overlay; Helm
# takes its chart and values, and makes of the defaults what the base says.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "manifests: $*" >&2
  failed=1
}

kubectl=$(command -v kubectl || true)
[[ $kubectl ]] || kubectl=${XDG_CACHE_HOME:-$HOME/.cache}/orb8/kube/bin/kubectl
if [[ ! -x $kubectl ]]; then
  echo "manifests: not checked: no kubectl here" >&2
  exit 0
fi

for folder in deploy deploy/overlays/*; do
  "$kubectl" kustomize "$folder" >"$work/${folder##*/}.yaml" 2>"$work/said" || fail "$folder: $(tail -n 1 "$work/said")"
done
command -v helm >/dev/null || exit "$failed"

helm lint --strict --quiet deploy/helm/orb8 || fail "helm lint"
helm template orb8 deploy/helm/orb8 --namespace orb8-system >"$work/chart.yaml" || fail "helm template"
! helm template orb8 deploy/helm/orb8 --set ports.grpc=none >/dev/null 2>&1 || fail "the schema lets a bad port pass"

# A line for each field; without the labels, which are a chart's own, and the namespace, which is Helm's.
fields() {
  "$kubectl" annotate --local --overwrite --filename "$1" checked=yes --output json |
    jq -r 'select(.kind != "Namespace") | del(.metadata.labels, .spec.template.metadata.labels) |
      (.kind | ascii_downcase) as $kind | paths(scalars) as $path |
      "\($kind).\($path | map(tostring) | join(".")) = \(getpath($path))"' | sort
}
diff <(fields "$work/deploy.yaml") <(fields "$work/chart.yaml") >&2 ||
  fail "the chart's defaults (>) are not what kubectl apply -k deploy/ does (<)"
exit "$failed"
