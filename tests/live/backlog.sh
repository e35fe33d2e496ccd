#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests that wait when tardy comes: in the accept queue of a listener, TCP or Unix, and on connections
# that were accepted and not read. They are late already, and nothing arrives any more that would tell.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

now_us() { echo $(($(date +%s%N) / 1000)); }

# crowd NAME ADDRESS: a server whose first visitor is being served, and five who wait
crowd() {
	spawn python3 "$here/backlog.py" server "$1" "$2" "$TMP/$1.log"
	server=$SPAWNED
	wait_until 10 backlog_up "$2" || bail "the server of $1 did not start"
	spawn python3 "$here/backlog.py" client "$2" "$TMP/$1.asked" "$1"
	client=$SPAWNED
	wait_until 10 test -s "$TMP/$1.asked" || bail "the visitors of $1"
}
backlog_up() { case $1 in */*) sock_open "$1" ;; *) listens "$1" ;; esac }

# waits NAME ADDRESS: they are served while tardy records
waits() {
	local from
	crowd "$1" "$2"
	from=$(now_us)
	record_start "$server"
	set -- "$1" "$from" "$(now_us)"
	touch "$TMP/$1.log.go"
	wait "$client" || bail "the visitors of $1 were not served"
	record_end
	is "$1: record ended well" "$RECORD_STATUS" 0
	end_pid "$server"
	report_json "$TMP/report" requests
	facts python3 "$here/backlog.py" check "$1" "$TMP/report" "$TMP/$1.log" "$2" "$3"
}
waits tcp "$(free_port)"
waits unix "$TMP/listener"
waits kept "$(free_port)"

# ---- nobody serves them ------------------------------------------------------------------------
rm "$TMP/tcp.log"*
crowd tcp "$(free_port)"
record_start "$server"
sleep 1
record_end
is "record ended well" "$RECORD_STATUS" 0
end_pid "$client"
end_pid "$server"
report_json "$TMP/report" requests
facts python3 "$here/backlog.py" open backlog.py "$TMP/report" 5
like "the verdict names the queue" "$("$TARDY" report -i "$TMP/data" 2>&1 | head -n 4)" "queue"

kernel_clean
done_testing
