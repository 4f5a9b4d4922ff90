# Sourced by the scripts beside it: what they are told, from the environment or from lines NAME=value
# of the file that CUST360_SETTINGS names (/etc/cust360/settings). Secrets stand in neither.
refuse() {
    echo "$(basename "$0"): error: $1" >&2
    exit 2
}
settings=${CUST360_SETTINGS:-/etc/cust360/settings}
if [ -e "$settings" ]; then
    [ -r "$settings" ] || refuse "$settings cannot be read by $(id -un)"
    set -a
    . "$settings"
    set +a
elif [ -n "${CUST360_SETTINGS-}" ]; then
    refuse "CUST360_SETTINGS names $settings, which is not there"
fi
