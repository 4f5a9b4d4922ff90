#!/bin/sh
# Have Kafka up or down, and end when it is: kafka.sh start, kafka.sh stop; either may be repeated.
# KAFKA_START and KAFKA_STOP are the commands that do it, told as settings.sh says. Without them the
# StatefulSet KAFKA_STATEFULSET (kafka) of KAFKA_NAMESPACE (kafka) gets KAFKA_REPLICAS (3) pods, or
# none: its data stays.
set -eu
. "$(dirname "$0")/settings.sh"
case ${1-} in
start | stop) ;;
*) refuse "'${1-}' is neither start nor stop" ;;
esac
kubectl="${KUBECTL:-kubectl} -n ${KAFKA_NAMESPACE:-kafka}"
set_of_pods=statefulset/${KAFKA_STATEFULSET:-kafka}
case $1 in
start)
    command=${KAFKA_START:-"$kubectl scale $set_of_pods --replicas=${KAFKA_REPLICAS:-3} &&
        $kubectl rollout status $set_of_pods --timeout=300s"}
    ;;
stop) command=${KAFKA_STOP:-"$kubectl scale $set_of_pods --replicas=0"} ;;
esac
cd "$(dirname "$0")/.."
code=0
sh -c "$command" || code=$?
[ "$code" -eq 0 ] || echo "kafka.sh: error: could not $1 Kafka: its command ended with $code" >&2
exit "$code"
