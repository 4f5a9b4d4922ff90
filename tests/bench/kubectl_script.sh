#!/bin/sh
# Run a Job of one line as a careful script of kubectl commands does: kubectl_script.sh KUBECTL NAME [FILE]
set -eu
k="$1 -n controlm"
trap '$k delete job "$2" --wait=false >/dev/null' EXIT
if [ $# -gt 2 ]; then $k create -f "$3" >/dev/null
else $k create job "$2" --image=busybox:1 -- echo hello >/dev/null
fi
echo "Job created"
until $k logs -f "job/$2" 2>/dev/null; do sleep 0.2; done
$k wait --for=condition=complete "job/$2" --timeout=60s >/dev/null
