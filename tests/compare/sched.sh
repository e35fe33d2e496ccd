#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What php-fpm's workers did, by the kernel's own accounting (schedstat, rusage) and by runqlat,
# against the sum over their requests: cpu, and runq with throttle; once with a CPU quota.
# timeout: 180
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

mkdir -p "$TMP/www"
# the page knows its own time, and says it
cat >"$TMP/www/page.php" <<'PHP'
<?php
function clocks() {
	$u = getrusage();
	[, $delay] = explode(' ', file_get_contents('/proc/self/schedstat'));
	return [($u['ru_utime.tv_sec'] + $u['ru_stime.tv_sec']) * 1000000 + $u['ru_utime.tv_usec'] +
		$u['ru_stime.tv_usec'], $delay / 1000];
}
$from = clocks();
for ($i = 0, $n = 0; $i < 300000; $i++)
	$n += $i;
usleep(500);
for ($i = 0; $i < 100000; $i++)
	$n += $i;
$to = clocks();
echo getmypid(), ' ', $to[0] - $from[0], ' ', $to[1] - $from[1];
PHP
php_start "$TMP/php.sock" 2
port=$(free_port)
nginx_start "$port" "$(nginx_php "$TMP/php.sock")"
workers=$(pgrep -P "$PHP_PID")
schedstats() {
	local pid
	for pid in $workers; do
		echo "$pid $(cat "/proc/$pid/schedstat")"
	done
}

stolen() { awk '/^cpu / { print $7 + $8 + $9 }' /proc/stat; }

# compare NAME EACH: a run of its own, with so many requests of each of six visitors
compare() {
	record_start "$NGINX_PID,$PHP_PID"
	tool_start runqlat -P
	sleep 0.3
	{ stolen && schedstats; } >"$TMP/before"
	python3 "$here/visitors.py" "$port" 6 "$2" /page.php >"$TMP/pages"
	is "$1: the visitors were served" $? 0
	sleep 0.3
	{ stolen && schedstats; } >"$TMP/after"
	tool_end "$TOOL_PID" runqlat
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
	facts python3 "$here/sched_check.py" "$1" "$TMP/report" "$TMP/before" "$TMP/after" \
		"$TMP/pages" "$TMP/runqlat"
}
python3 "$here/visitors.py" "$port" 2 5 /page.php >"$TMP/pages"
compare "no quota" 120
# so little that it is the quota, not the host's load, that holds them back
# shellcheck disable=SC2086
cpu_quota 5000 20000 $workers
compare "quota" 60

kernel_clean
done_testing
