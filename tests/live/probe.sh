#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Points that a user names mark the requests that pass them, and no others.
# timeout: 90
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

cat >"$TMP/server.c" <<'C'
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noinline)) void step_one(int n) { __asm__ volatile("" : : "r"(n) : "memory"); }
__attribute__((noinline)) void step_two(int n) { __asm__ volatile("" : : "r"(n) : "memory"); }

int main(int argc, char **argv)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])) };
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	char in[4096];
	ssize_t n;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) || listen(s, 8))
		return 1;
	step_one(0); /* outside of any request */
	while ((c = accept(s, NULL, NULL)) >= 0) {
		while ((n = read(c, in, sizeof(in) - 1)) > 0) {
			in[n] = 0;
			step_one(1);
			if (strstr(in, "/twice")) {
				usleep(20000);
				step_two(1);
				step_two(2);
			}
			if (write(c, answer, sizeof(answer) - 1) < 0)
				break;
		}
		close(c);
	}
	return 0;
}
C
check "the server builds" gcc -O1 -o "$TMP/server" "$TMP/server.c"
port=$(free_port)
spawn "$TMP/server" "$port"
server=$SPAWNED
wait_until 10 tcp_open "$port" || bail "the server did not start"

mkdir -p "$TMP/www"
echo '<?php echo "x";' >"$TMP/www/page.php"
php_start "$TMP/php.sock" 1
web=$(free_port)
nginx_start "$web" "$(nginx_php "$TMP/php.sock")"
fpm=$(readlink "/proc/$PHP_PID/exe")
pg_port=$(free_port)
postgres_start "$pg_port"
postgres=$(readlink "/proc/$POSTGRES_PID/exe")

record_start "$server,$NGINX_PID,$PHP_PID,$POSTGRES_PID" \
	--probe "uprobe:$TMP/server:step_one" --probe "uprobe:$TMP/server:step_two" \
	--probe "usdt:$fpm:php:request__startup" --probe "usdt:$postgres:postgresql:query__start"
like "the kernel has the probes" "$(bpftool link show 2>/dev/null)" 'uprobe_multi|perf_event|kprobe'
for path in once twice once; do
	curl -s "http://127.0.0.1:$port/$path" >"$TMP/curl.out"
done
for _ in 1 2; do
	curl -s "http://127.0.0.1:$web/page.php" >"$TMP/curl.out"
	curl -s "http://127.0.0.1:$web/index.html" >"$TMP/curl.out"
done
is "postgres answers" "$(setpriv --reuid=postgres --regid=postgres --clear-groups psql -XqAt \
	-h 127.0.0.1 -p "$pg_port" -U postgres -c 'SELECT 40 + 2' postgres 2>"$TMP/psql.err")" 42
record_end
is "record ended well" "$RECORD_STATUS" 0
check "the server was left as it was" kill -0 "$server"
report_json "$TMP/report" requests health
facts python3 "$here/probe.py" "$TMP/report"
is "the server still answers" "$(curl -s "http://127.0.0.1:$port/once")" ok

# ---- points that do not exist ----
for spec in "uprobe:$TMP/server:no_such_function" "uprobe:$TMP/absent:main" \
	"usdt:$fpm:php:no__such__point"; do
	"$TARDY" record -p "$server" -o "$TMP/none" --duration 1s --probe "$spec" 2>"$TMP/err"
	is "$spec: exit status" "$?" 2
	like "$spec: says which" "$(cat "$TMP/err")" "error\[T[0-9]+\].*${spec##*:}"
done
"$TARDY" record -p "$server" -o "$TMP/none" --duration 1s --probe nonsense 2>"$TMP/err"
is "a probe of no known form is a usage error" "$?" 2

kernel_clean
done_testing
