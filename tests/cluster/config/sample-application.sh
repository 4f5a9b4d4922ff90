#!/bin/sh
# Counts to LOOPCTR and sleeps STIME seconds after each number, as the published sample image does.
count=${LOOPCTR:-10}
seconds=${STIME:-5}
number=1
while [ "$number" -le "$count" ]; do
    echo "Iteration $number of $count"
    sleep "$seconds"
    number=$((number + 1))
done
exit 0
