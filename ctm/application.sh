#!/bin/sh
# Run a program of the application on an agent outside the cluster: application.sh geo_load --once.
# What it is told (docs/pipeline.md) comes as settings.sh says.
set -eu
. "$(dirname "$0")/settings.sh"
case ${1-} in
crm_extract | dead_letters | geo_load | lake) program=$1 && shift ;;
*) refuse "'${1-}' is no program of the application: crm_extract, dead_letters, geo_load or lake" ;;
esac
cd "$(dirname "$0")/.."
exec "${PYTHON:-python3}" -m "application.$program" "$@"
