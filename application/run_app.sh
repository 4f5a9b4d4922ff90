#!/bin/sh
# The counting sample: counts to LOOPCTR (10), sleeps STIME (5) seconds after each number and ends
# with XCODE (0). SIGTERM ends it at once with 143; a number that is none ends it with 2.
LOOPCTR=${LOOPCTR:-10} STIME=${STIME:-5} XCODE=${XCODE:-0}

refuse() {
    echo "run_app.sh: error: $1 is '$2', and must be $3" >&2
    exit 2
}

# Nine digits are what every shell can count to.
case $LOOPCTR in *[!0-9]* | ??????????*) refuse LOOPCTR "$LOOPCTR" "at most nine digits" ;; esac
case $STIME in *[!0-9.]* | *.*.* | .) refuse STIME "$STIME" "seconds such as 5 or 0.5" ;; esac
case $XCODE in *[!0-9]* | ????*) refuse XCODE "$XCODE" "an exit code from 0 to 255" ;; esac
[ "$XCODE" -le 255 ] || refuse XCODE "$XCODE" "an exit code from 0 to 255"

# A shell puts a trap off until its command has ended, but not while it waits for one. A sleep that
# is just being started can miss any signal but the ninth.
trap 'kill -9 $! 2>/dev/null; exit 143' TERM
count=1
while [ "$count" -le "$LOOPCTR" ]; do
    echo "Iteration $count of $LOOPCTR"
    sleep "$STIME" &
    wait $!
    count=$((count + 1))
done
exit "$XCODE"
