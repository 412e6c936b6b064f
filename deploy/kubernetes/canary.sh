#!/usr/bin/env bash
# deploy/kubernetes/canary.sh start IMAGE [PODS] | promote | stop
# A few processes of the next release among those that serve /api/v1: with 3 of the present and 1 of the next a quarter of
# the requests. Look at the dashboard "Plaza: platform" (by pod) for as long as you like, then promote or stop.
# Migrate first (roll-out.sh does): the next release must find its columns.
set -euo pipefail
in_plaza() { kubectl --namespace plaza "$@"; }
case ${1:-} in
start)
  image=${2:?which image}
  in_plaza set image deployment/web-next "plaza=$image"
  in_plaza scale deployment/web-next --replicas="${3:-1}"
  in_plaza rollout status --timeout=5m deployment/web-next
  ;;
promote)
  image=$(in_plaza get deployment/web-next --output 'jsonpath={.spec.template.spec.containers[0].image}')
  for deployment in web-v1 web-v2 worker validator provisioner beat; do
    in_plaza set image "deployment/$deployment" "plaza=$image"
    in_plaza rollout status --timeout=10m "deployment/$deployment"
  done
  in_plaza scale deployment/web-next --replicas=0
  ;;
stop)
  in_plaza scale deployment/web-next --replicas=0
  ;;
*)
  echo "canary.sh start IMAGE [PODS] | promote | stop" >&2
  exit 64
  ;;
esac
