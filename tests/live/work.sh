#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Work that a request's thread leaves to another thread of its process: FastAPI on uvicorn runs what is
# no coroutine in a pool of threads, with their calls of a database. What a worker did is the request's
# that it was for, or nobody's.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

pg=$(free_port)
postgres_start "$pg"
port=$(free_port)
spawn env APP_LOG="$TMP/app.log" APP_DB="host=127.0.0.1 port=$pg user=postgres dbname=postgres" \
	PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 \
	/usr/bin/uvicorn --no-access-log --port "$port" work_app:app >"$TMP/uvicorn.out" 2>&1
uvicorn=$SPAWNED
wait_until 20 listens "$port" || bail "uvicorn did not start" "$(cat "$TMP/uvicorn.out")"
pids=$uvicorn,$(children_of "$POSTGRES_PID")

# clients at once, seconds that each thinks between two requests
for load in "1 0.02" "8 0.03"; do
	for route in db cpu nap steps; do # what is done but once
		curl -s -o /dev/null "http://127.0.0.1:$port/$route?n=0"
	done
	: >"$TMP/app.log"
	record_start "$pids"
	# shellcheck disable=SC2086 # two words
	check "the visitors were served ($load)" timeout 60 python3 "$here/work_client.py" "$port" $load
	record_end
	is "record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests
	facts python3 "$here/work_check.py" "$TMP/report" "$TMP/app.log" "${load% *}"
done
kernel_clean
done_testing
