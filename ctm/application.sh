#!/bin/sh
# Run a program of the application on an agent outside the cluster: application.sh geo_load --once.
# The settings are environment variables (docs/pipeline.md), the agent's own or lines NAME=value of
# the file that CUST360_SETTINGS names (/etc/cust360/settings); secrets stand in neither.
set -eu
refuse() {
    echo "application.sh: error: $1" >&2
    exit 2
}
case ${1-} in
crm_extract | geo_load | lake) program=$1 && shift ;;
*) refuse "'${1-}' is no program of the application: crm_extract, geo_load or lake" ;;
esac
settings=${CUST360_SETTINGS:-/etc/cust360/settings}
if [ -e "$settings" ]; then
    [ -r "$settings" ] || refuse "$settings cannot be read by $(id -un)"
    set -a
    . "$settings"
    set +a
elif [ -n "${CUST360_SETTINGS-}" ]; then
    refuse "CUST360_SETTINGS names $settings, which is not there"
fi
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" -m "application.$program" "$@"
