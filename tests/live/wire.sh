#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What comes over the wire in unusual pieces is still one request, with its method, route and
# status: bytes one by one, pipelined, without a body, with an interim answer, chunked, ended by
# close, aborted; and answers by each system call that sends.
# timeout: 120
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

port=$(free_port)
mkdir -p "$TMP/www"
for name in split pipe-a pipe-b pipe-c cut-a cut-b keep head cond once large; do
	echo "$name" >"$TMP/www/$name.html"
done
head -c 5000000 /dev/zero >"$TMP/www/big.bin"
cp "$TMP/www/big.bin" "$TMP/www/left.bin"
cat >"$TMP/www/query.php" <<'PHP'
<?php echo strlen($_SERVER["QUERY_STRING"]);
PHP
cat >"$TMP/www/body.php" <<'PHP'
<?php echo strlen(file_get_contents("php://input"));
PHP
cp "$TMP/www/body.php" "$TMP/www/slowbody.php"
cat >"$TMP/www/chunks.php" <<'PHP'
<?php for ($i = 0; $i < 5; $i++) { echo str_repeat("x", 5000); flush(); usleep(20000); }
PHP
cp "$TMP/www/chunks.php" "$TMP/www/old.php"
cat >"$TMP/www/leave.php" <<'PHP'
<?php usleep(800000); echo "late";
PHP
cat >"$TMP/www/missing.php" <<'PHP'
<?php http_response_code(418);
PHP
cat >"$TMP/www/after.php" <<'PHP'
<?php echo "answer"; fastcgi_finish_request(); usleep(200000);
PHP
php_start "$TMP/php.sock" 3
nginx_start "$port" "sendfile on;
large_client_header_buffers 4 32k;
location = /none { return 204; }
location = /teapot { return 503; }
fastcgi_buffering off;
$(nginx_php "$TMP/php.sock")"
spawn python3 "$here/wire_server.py" "$TMP/server.port"
server=$SPAWNED
wait_until 10 test -s "$TMP/server.port" || bail "the Python server did not start"

record_start "$NGINX_PID,$PHP_PID,$server"
facts python3 "$here/wire_client.py" "$port" "$(cat "$TMP/server.port")" "$TMP/expected"
sleep 1
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
workers=$(children_of "$NGINX_PID")
facts python3 "$here/wire_check.py" "$TMP/report" "$TMP/expected" "$workers" \
	"$(children_of "$PHP_PID")" "$server"

kernel_clean
done_testing
