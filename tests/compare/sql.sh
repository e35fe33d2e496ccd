#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Statements of a PHP page, as pg_stat_statements counted and timed them, against tardy's requests of
# PostgreSQL and the database time of the pages.
# timeout: 120
. "$(dirname "$0")/../lib/peers.sh"
here=$TARDY_ROOT/tests/compare
kernel_mark

pg=$(free_port)
postgres_start "$pg" shared_preload_libraries=pg_stat_statements pg_stat_statements.track_planning=on \
	autovacuum=off
sql() {
	setpriv --reuid=postgres --regid=postgres --clear-groups psql -XqAt -v ON_ERROR_STOP=1 \
		-h 127.0.0.1 -p "$pg" -U postgres "$@" postgres 2>&1
}
check "the tables are made" sql -c 'CREATE EXTENSION pg_stat_statements' \
	-c 'CREATE TABLE items (id int PRIMARY KEY, n int, name text)' \
	-c "INSERT INTO items SELECT i, i % 97, 'item ' || i FROM generate_series(1, 20000) i" \
	-c 'CREATE TABLE log (at timestamptz, item int)' -c 'ANALYZE'

mkdir -p "$TMP/www"
cat >"$TMP/www/page.php" <<PHP
<?php
// kept by the worker: what a new backend reads of the catalogue is in no statement's time
\$c = pg_pconnect('host=127.0.0.1 port=$pg user=postgres dbname=postgres');
\$id = rand(1, 20000);
pg_query(\$c, 'BEGIN');
pg_query(\$c, "SELECT name FROM items WHERE id = \$id");
pg_query_params(\$c, 'SELECT n FROM items WHERE id = \$1', [\$id]);
pg_prepare(\$c, 'count', 'SELECT count(*) FROM items WHERE n > \$1 AND id < \$2');
pg_execute(\$c, 'count', [50, 5000]);
pg_execute(\$c, 'count', [20, 20000]);
pg_query(\$c, "UPDATE items SET n = n + 1 WHERE id = \$id");
pg_query(\$c, "INSERT INTO log VALUES (now(), \$id)");
pg_query(\$c, 'COMMIT');
pg_query(\$c, 'DEALLOCATE count');
echo 'ok';
PHP
php_start "$TMP/php.sock" 3
port=$(free_port)
nginx_start "$port" "$(nginx_php "$TMP/php.sock")"
check "the page answers" python3 "$here/visitors.py" "$port" 6 5 /page.php

record_start "$NGINX_PID,$PHP_PID,$POSTGRES_PID"
sql -c 'SELECT pg_stat_statements_reset()' >"$TMP/reset"
check "the visitors were served" python3 "$here/visitors.py" "$port" 4 50 /page.php
sql -F $'\t' -c "SELECT calls, round((total_exec_time * 1000)::numeric), \
	round((total_plan_time * 1000)::numeric), query FROM pg_stat_statements" >"$TMP/stats"
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/sql_check.py" "$TMP/report" "$TMP/stats" 200

kernel_clean
done_testing
