#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What php-fpm's workers did, by the kernel's own accounting (schedstat) and by runqlat, against the
# sum over their requests: cpu, and runq with throttle. More visitors than workers, so that a worker
# has no time of its own; once with a CPU quota.
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

mkdir -p "$TMP/www"
cat >"$TMP/www/page.php" <<'PHP'
<?php
for ($i = 0, $n = 0; $i < 300000; $i++)
	$n += $i;
usleep(500);
for ($i = 0; $i < 100000; $i++)
	$n += $i;
echo $n;
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

# compare NAME: a run of its own
compare() {
	python3 "$here/visitors.py" "$port" 2 5 /page.php
	record_start "$NGINX_PID,$PHP_PID"
	tool_start runqlat -P
	sleep 0.3
	schedstats >"$TMP/before"
	check "$1: the visitors were served" python3 "$here/visitors.py" "$port" 6 120 /page.php
	sleep 0.3
	schedstats >"$TMP/after"
	tool_end "$TOOL_PID" runqlat
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
	facts python3 "$here/sched_check.py" "$1" "$TMP/report" "$TMP/before" "$TMP/after" "$TMP/runqlat"
}
compare "no quota"
# shellcheck disable=SC2086
cpu_quota 12000 20000 $workers
compare "quota"

kernel_clean
done_testing
