#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Connections on which turns are no requests (HTTP/2, WebSocket), and answers that come bit by bit.
# timeout: 150
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

python_port=$(free_port) h2_port=$(free_port) node_port=$(free_port) nginx_port=$(free_port)
spawn python3 "$here/streams_server.py" "$python_port"
python=$SPAWNED
spawn node "$here/streams_node.js" "$h2_port" "$node_port"
node=$SPAWNED
slow_port=$(free_port) proxy_port=$(free_port) haproxy_port=$(free_port)
spawn python3 "$here/streams_server.py" "$slow_port" # not observed: what a proxy waits for
slow=$SPAWNED
nginx_start "$proxy_port" "location / {
	proxy_pass http://127.0.0.1:$slow_port; proxy_http_version 1.1; proxy_buffering off; }" 1 "server { listen 127.0.0.1:$nginx_port http2;
	location / { proxy_pass http://127.0.0.1:$python_port/slow; } }"
wait_until 10 listens "$python_port" || bail "the server did not start"
wait_until 10 listens "$node_port" || bail "node did not start"
wait_until 10 listens "$slow_port" || bail "the second server did not start"
cat >"$TMP/ha.cfg" <<CONF
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen proxy
    bind 127.0.0.1:$haproxy_port
    server slow 127.0.0.1:$slow_port
CONF
spawn haproxy -db -f "$TMP/ha.cfg"
haproxy=$SPAWNED
wait_until 10 listens "$haproxy_port" || bail "HAProxy did not start"

end=$'0\r\n\r\n'
spawn python3 "$here/streams_client.py" "$TMP/rows" older:"$python_port" go:"$TMP/go" \
	h2:nginx:"$nginx_port" h2:node:"$h2_port" upgrade:"$python_port" \
	ws:python:"$python_port" ws:node:"$node_port" talk:ws-older:ws \
	body:nginx:"$proxy_port":/body:"$end" body:haproxy:"$haproxy_port":/body:"$end" \
	body:python:"$python_port":/sse:never body:node:"$node_port":/sse:"$end" \
	body:node:"$node_port":/pause:yyyyyyyyyy events:"$node_port" slow_reader:"$node_port"
client=$SPAWNED
sleep 0.3
record_start "$(children_of "$NGINX_PID"),$python,$node,$haproxy"
touch "$TMP/go"
wait_until 40 test -e "$TMP/rows" || bail "the client did not finish"
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" routes requests
facts python3 "$here/streams_check.py" "$TMP/report" "$TMP/rows"
end_pid "$client"
for pid in "$slow" "$haproxy" "$python" "$node" "$NGINX_PID"; do end_pid "$pid"; done

kernel_clean
done_testing
