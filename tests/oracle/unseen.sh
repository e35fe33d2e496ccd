#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# timeout: 240
#
# Kernels do not report every context switch. Here every third return to the CPU is not seen: what the
# thread waited for, for how long, and what ended it, follows from the wakeup, the time that it asked
# for and the scheduler's own account. So the oracle must not notice.
set -u
cd "$(dirname "$0")/../.." || exit 1

# mode, groups
cases='threads sleep,pipe,flock,upstream,reader
pool sleep,futex,crowd
loop timer,timers,upstream,loopblock
proxy slot,alike'

n=0
failed=0
echo "1..$(wc -l <<<"$cases")"
while read -r mode groups; do
	n=$((n + 1))
	if out=$(TARDY_ORACLE_RECORD="--skip-arrivals 3" bash tests/oracle/run.sh --mode "$mode" \
		--only "$groups" 2>&1 </dev/null); then
		echo "ok $n - unseen switches of mode $mode make no difference"
	else
		echo "not ok $n - unseen switches of mode $mode make a difference"
		sed 's/^/# /' <<<"$out"
		failed=1
	fi
done <<<"$cases"
exit "$failed"
