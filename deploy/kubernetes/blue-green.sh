#!/usr/bin/env bash
# deploy/kubernetes/blue-green.sh start IMAGE | switch | back | finish
# As many processes of the next release as of the present one, asked by nobody until `switch`; `back` takes a second.
# Look at the next one before: kubectl --namespace plaza port-forward deployment/web-next 8001:8000
set -euo pipefail
in_plaza() { kubectl --namespace plaza "$@"; }
serve() { in_plaza patch service/web-v1 --patch "{\"spec\": {\"selector\": {\"serves\": \"v1\", \"track\": $1}}}"; }
case ${1:-} in
start)
  image=${2:?which image}
  serve '"stable"'
  replicas=$(in_plaza get deployment/web-v1 --output 'jsonpath={.spec.replicas}')
  in_plaza set image deployment/web-next "plaza=$image"
  in_plaza scale deployment/web-next --replicas="$replicas"
  in_plaza rollout status --timeout=10m deployment/web-next
  ;;
switch)
  serve '"next"'
  ;;
back)
  serve '"stable"'
  ;;
finish)
  # While the next one serves, the present one becomes it; then both are the same, and the first serves again.
  image=$(in_plaza get deployment/web-next --output 'jsonpath={.spec.template.spec.containers[0].image}')
  for deployment in web-v1 web-v2 worker validator provisioner beat; do
    in_plaza set image "deployment/$deployment" "plaza=$image"
    in_plaza rollout status --timeout=10m "deployment/$deployment"
  done
  serve null
  in_plaza scale deployment/web-next --replicas=0
  ;;
*)
  echo "blue-green.sh start IMAGE | switch | back | finish" >&2
  exit 64
  ;;
esac
