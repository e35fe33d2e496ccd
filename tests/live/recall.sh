#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The servers' own access logs against tardy, at saturation: at least 99 % of the requests are
# found, none is invented, and the time after the queue is the one that the server logged.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# php-fpm has fewer workers than there are visitors: requests queue in front of it
classroom_at_saturation() {
	classroom_up exam-start "$@"
	classroom_load 14
	sleep 2
	record_start "$CLASSROOM_PIDS"
	sleep 8
	record_end
	end_pid "$LOAD_PID"
	is "record ended well ($*)" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
	facts python3 "$here/recall.py" classroom "$TMP/report" "$TMP/class/log" \
		"$RECORD_FROM" "$RECORD_TO"
	classroom_down
}
classroom_at_saturation
classroom_at_saturation --tcp

# the whole of a run: recording begins before and ends after the load
port=$(free_port)
mkdir -p "$TMP/www"
head -c 2000 /dev/zero | tr '\0' x >"$TMP/www/small.html"
echo '<?php echo strlen($_SERVER["REQUEST_URI"]);' >"$TMP/www/page.php"
php_start "$TMP/php.sock" 2 "access.log = $TMP/php-access.log
access.format = \"%{%Y-%m-%dT%H:%M:%S}T %{microseconds}d %C %{kilobytes}M %s %p %m %r%Q%q\""
nginx_start "$port" "access_log $TMP/access.log full;
$(nginx_php "$TMP/php.sock")" 2 "log_format full '\$msec \$request_time - \$status \$request_method \$request_uri \$body_bytes_sent \$pid';"

# wrk_run PAGE SECONDS: so many requests that a report still lists every one (200,000)
wrk_run() {
	rm -f "$TMP/data"
	: >"$TMP/access.log"
	: >"$TMP/php-access.log"
	record_start "$NGINX_PID,$PHP_PID"
	wrk -t 1 -c 16 -d "$2" "http://127.0.0.1:$port/$1" >"$TMP/wrk.out"
	record_end
	is "record ended well ($1)" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
}
wrk_run small.html 1
facts python3 "$here/recall.py" counts "$TMP/report" "$TMP/access.log"
wrk_run page.php?a=1 3
facts python3 "$here/recall.py" counts "$TMP/report" "$TMP/access.log" "$TMP/php-access.log"

kernel_clean
done_testing
