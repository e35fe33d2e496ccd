#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Pools of threads: one thread accepts and polls, others read what it hands over. Who waits for one
# of them waits in their queue, and a thread that has nothing to do does not work.
# timeout: 300
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

# threads NAME COMMAND...: a server of two threads. Six visitors who think, six who do not, and two
threads() {
	local name=$1 server
	shift
	spawn "$@" >"$TMP/$name.out" 2>&1
	server=$SPAWNED
	wait_until 30 listens_any "$port" || bail "$name did not start" "$(cat "$TMP/$name.out")"
	# what both threads do once only (load classes) is done before
	python3 "$here/pools_client.py" "$port" 2 1 0 0 /warm >"$TMP/warm"
	record_start "$(children_of "$server")"
	{
		python3 "$here/pools_client.py" "$port" 6 4 0.3 0.3 /think
		python3 "$here/pools_client.py" "$port" 6 4 1 0 /busy
		python3 "$here/pools_client.py" "$port" 2 4 0.3 0 /free
	} >"$TMP/asked"
	record_end
	is "$name: record ended well" "$RECORD_STATUS" 0
	report_json "$TMP/report" requests health
	facts python3 "$here/pools_check.py" threads "$TMP/report" "$name" "$TMP/asked" "$TMP/taken"
	end_pid "$server"
	rm -f "$TMP/taken"
}
listens_any() { cat /proc/net/tcp /proc/net/tcp6 | grep -q ":$(printf %04X "$1") 0*:0000 0A"; }

port=$(free_port)
POOLS_LOG=$TMP/taken threads gunicorn gunicorn -k gthread --threads 2 -w 1 --chdir "$here" \
	-b "127.0.0.1:$port" pools_app:app
port=$(free_port)
threads java java "$here/pools_server.java" "$port" "$TMP/taken"
port=$(free_port)
threads tomcat java -cp /usr/share/java/tomcat10-embed-core.jar "$here/pools_tomcat.java" "$port" \
	"$TMP/taken" "$TMP/tomcat"

# Puma's reactor reads what comes on a connection that waits, and hands it to a thread of the pool
back=$(free_port)
spawn python3 "$here/owners_server.py" pages "$back" 2>"$TMP/back.err"
wait_until 10 listens "$back" || bail "the pages' server did not start"
port=$(free_port)
POOLS_LOG=$TMP/taken POOLS_BACK=$back threads puma puma -t 2:2 -b "tcp://127.0.0.1:$port" \
	"$here/pools_app.ru"

# ---- Apache, event: a thread that has answered goes back to the queue of its process ---------
port=$(free_port)
mkdir -p "$TMP/www"
echo hello >"$TMP/www/index.html"
modules=/usr/lib/apache2/modules
cat >"$TMP/apache.conf" <<CONF
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
ServerName localhost
Listen 127.0.0.1:$port
PidFile $TMP/apache.pid
ErrorLog $TMP/apache.log
DefaultRuntimeDir $TMP
DocumentRoot $TMP/www
StartServers 1
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
CONF
chmod 755 "$TMP"
spawn apache2 -d "$TMP" -f "$TMP/apache.conf" -DFOREGROUND >"$TMP/apache.out" 2>&1
apache=$SPAWNED
wait_until 10 listens "$port" || bail "apache did not start" "$(cat "$TMP/apache.out" "$TMP/apache.log")"
record_start "$(children_of "$apache")"
python3 "$here/pools_client.py" "$port" 3 4 2 >"$TMP/asked"
record_end
is "apache: record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests
facts python3 "$here/pools_check.py" rest "$TMP/report" apache "$TMP/asked"
end_pid "$apache"

kernel_clean
done_testing
