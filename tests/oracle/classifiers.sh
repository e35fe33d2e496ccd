#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# The oracle must notice a wrong tardy: each classifier of wait states is broken in turn (TARDY_BREAK
# makes it say `other`), and the groups of requests that depend on it must then disagree. Exit 3
# of run.sh, something that did not run, is a failure here too.
set -u
cd "$(dirname "$0")/../.." || exit 1

# classifier, mode, groups that show it
cases='runq threads runq
throttle threads throttle
disk threads disk
fault threads fault
lock threads mutex,flock
recv threads upstream
send threads reader
poll loop upstream
sleep threads sleep
ipc threads pipe
lock pool mutex
poll proxy slot
recv lasting calls
lock lasting sharing'

n=0
failed=0
echo "1..$(wc -l <<<"$cases")"
while read -r state mode groups; do
	n=$((n + 1))
	out=$(bash tests/oracle/run.sh --classifier "$state" --mode "$mode" --only "$groups" 2>&1 </dev/null)
	status=$?
	if [ "$status" = 1 ]; then
		echo "ok $n - broken classifier $state is noticed by $groups of mode $mode"
	else
		echo "not ok $n - broken classifier $state: exit $status, wanted 1"
		sed 's/^/# /' <<<"$out"
		failed=1
	fi
done <<<"$cases"
exit "$failed"
