#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a request and its answer end: by the framing of the whole stream, not by who spoke last.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# ---- HTTP ----------------------------------------------------------------------------------
port=$(free_port)
head -c $((30 << 20)) /dev/zero >"$TMP/big.bin"
spawn python3 "$here/ends_server.py" "$port" "$TMP/big.bin"
server=$SPAWNED
wait_until 10 listens "$port" || bail "the server did not start"
proxy_port=$(free_port)
nginx_start "$proxy_port" "location / {
	proxy_pass http://127.0.0.1:$port; proxy_http_version 1.1; proxy_buffering off; }"
proxy=$(children_of "$NGINX_PID")
record_start "$server,$proxy"
check "the client got its answers" \
	python3 "$here/ends_client.py" "$port" "$TMP/rows" "$proxy_port"
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/ends_check.py" "$TMP/report" "$TMP/rows" "$server" "$proxy"
end_pid "$NGINX_PID"
end_pid "$server"

kernel_clean
done_testing
