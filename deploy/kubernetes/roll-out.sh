#!/usr/bin/env bash
# deploy/kubernetes/roll-out.sh OVERLAY [IMAGE]
# The new release: first the fleet is migrated, and only when every schema is along is anything replaced.
# A release's migrations leave the former code working (expand); what takes away waits for the release after it (contract).
set -euo pipefail
overlay=${1:?which overlay: single, production, citus or large}
image=${2:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
kubectl kustomize "$here/overlays/$overlay" >"$rendered"
if [ -n "$image" ]; then
  sed -i -E "s#^( *(- )?image: )registry\.example/plaza.*#\1$image#" "$rendered"
fi

# Whatever is no process of ours (those have the label tier), and the job among it.
kubectl --namespace plaza delete job fleet --ignore-not-found --wait
kubectl apply --filename "$rendered" --selector '!tier'
kubectl --namespace plaza wait --for=condition=complete --timeout=4h job/fleet

kubectl apply --filename "$rendered"
for deployment in web-v1 web-v2 worker validator provisioner beat; do
  kubectl --namespace plaza rollout status --timeout=10m "deployment/$deployment"
done
kubectl --namespace plaza exec deployment/provisioner -- python manage.py fleet status
