# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Helpers for tests against real servers on this kernel. Sourcing it checks for root and takes
# the one lock that keeps such tests from disturbing each other. Servers run from $TMP on
# loopback or Unix sockets; nothing of the host's own configuration is read or changed.

. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
export PYTHONDONTWRITEBYTECODE=1

# live_lock: waits for the lock and keeps it until the script ends
live_lock() {
	local file=${TARDY_LIVE_LOCK:-$TARDY_ROOT/build/live.lock}
	[ -z "${TARDY_LIVE_LOCKED:-}" ] || return 0
	mkdir -p "$(dirname "$file")"
	exec {LIVE_FD}>"$file"
	flock "$LIVE_FD"
	export TARDY_LIVE_LOCKED=1
}

[ "$(id -u)" = 0 ] || bail "live tests need root"
live_lock

# ---- tardy ---------------------------------------------------------------------------------
# tardy_start ARGS...: in the background, $TARDY_PID, output in $TMP/tardy.out and tardy.err
tardy_start() {
	spawn "$TARDY" "$@" >"$TMP/tardy.out" 2>"$TMP/tardy.err" </dev/null
	TARDY_PID=$SPAWNED
}
# tardy_attached: its programs are attached: it has links, and gets no more of them
tardy_attached() {
	local before
	before=$(bpf_links_of "$TARDY_PID")
	sleep 0.05
	((before > 0)) && [ "$before" = "$(bpf_links_of "$TARDY_PID")" ]
}
# tardy_ready [SECONDS]: until it has attached
tardy_ready() {
	wait_until "${1:-10}" tardy_attached && return
	bail "tardy did not attach" "$(cat "$TMP/tardy.err")"
}
# bpf_progs_of PID...: ids of the BPF programs that processes hold, themselves or by a link. (From
# /proc: bpftool's own list of holders needs an iterator that is not allowed everywhere.)
bpf_progs_of() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/fdinfo/"* 2>/dev/null
	done | sed -n 's/^prog_id:[[:space:]]*//p' | sort -un
}
bpf_links_of() { cat "/proc/$1/fdinfo/"* 2>/dev/null | grep -c '^link_type:'; }
# bpf_leaked NAME: ids of programs of that name that no process holds
bpf_leaked() {
	comm -23 <(bpftool prog show 2>/dev/null | sed -n "s/^\([0-9]*\): .* name $1 .*/\1/p" | sort -u) \
		<(cat /proc/[0-9]*/fdinfo/* 2>/dev/null |
			sed -n 's/^prog_id:[[:space:]]*//p' | sort -u)
}
# bpf_gone ID...: none of these programs exists any more
bpf_gone() {
	local id
	for id in "$@"; do
		! bpftool prog show id "$id" >/dev/null 2>&1 || return 1
	done
}
# kernel_mark, kernel_clean: no warning or oops in the kernel's log since the mark
kernel_mark() { KERNEL_MARK=$(dmesg 2>/dev/null | wc -l); }
kernel_clean() {
	local bad
	bad=$(dmesg 2>/dev/null | tail -n "+$((KERNEL_MARK + 1))" |
		grep -E 'BUG:|WARNING:|Oops|general protection|soft lockup|rcu.*stall|Call Trace')
	if [ -z "$bad" ]; then pass "kernel log is clean"; else fail "kernel log" "$bad"; fi
}

# ---- CPU quotas ----------------------------------------------------------------------------
# cpu_group DIR: makes a control group that may have a quota; DIR below $CPU_GROUPS
if CPU_GROUPS=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts) &&
	[ -n "$CPU_GROUPS" ]; then
	CPU_GROUPS_V2=
else
	CPU_GROUPS=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	CPU_GROUPS_V2=yes
fi
cpu_group() {
	[ -n "$CPU_GROUPS" ] || bail "no cgroup file system"
	[ -z "$CPU_GROUPS_V2" ] || echo +cpu >"${1%/*}/cgroup.subtree_control" ||
		bail "cpu is no controller in ${1%/*}"
	mkdir "$1" || bail "cannot make $1"
}
# cpu_quota_set DIR QUOTA_US PERIOD_US: -1 = no quota
cpu_quota_set() {
	if [ -n "$CPU_GROUPS_V2" ]; then
		echo "$([ "$2" = -1 ] && echo max || echo "$2") $3" >"$1/cpu.max"
	else
		echo "$3" >"$1/cpu.cfs_period_us" && echo "$2" >"$1/cpu.cfs_quota_us"
	fi || bail "cannot set the quota of $1"
}

# ---- limits of I/O -------------------------------------------------------------------------
# io_group DIR: makes a control group that may have limits of I/O; DIR below $IO_GROUPS
if IO_GROUPS=$(awk '$3 == "cgroup" && $4 ~ /(^|,)blkio(,|$)/ { print $2; exit }' /proc/mounts) &&
	[ -n "$IO_GROUPS" ]; then
	IO_GROUPS_V2=
else
	IO_GROUPS=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	# shellcheck disable=SC2034 # for the tests
	IO_GROUPS_V2=yes
fi
io_group() {
	[ -n "$IO_GROUPS" ] || bail "no cgroup file system"
	[ -z "$IO_GROUPS_V2" ] || echo +io >"${1%/*}/cgroup.subtree_control" ||
		bail "io is no controller in ${1%/*}"
	mkdir "$1" || bail "cannot make $1"
}
# io_limit_set DIR MAJOR:MINOR rbps|wbps|riops|wiops VALUE: max = no limit
io_limit_set() {
	local v1
	case $3 in
	r*) v1=read_${3#r} ;;
	*) v1=write_${3#w} ;;
	esac
	if [ -n "$IO_GROUPS_V2" ]; then
		echo "$2 $3=$4" >"$1/io.max"
	else
		echo "$2 ${4/max/0}" >"$1/blkio.throttle.${v1}_device"
	fi || bail "cannot set the limit of $1"
}

# ---- servers -------------------------------------------------------------------------------
tcp_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
# the same without a connection, for a server that takes one
listens() { grep -q ":$(printf %04X "$1") 00000000:0000 0A" /proc/net/tcp; }
sock_open() { [ -S "$1" ]; }

# nginx_start PORT [SERVER-LINES [WORKERS [HTTP-LINES]]]: $NGINX_PID; document root $TMP/www, log
# $TMP/nginx-access.log (time, status, seconds, request)
nginx_start() {
	local port=$1 lines=${2:-} workers=${3:-1} http=${4:-}
	mkdir -p "$TMP/www" "$TMP/nginx"
	chmod 777 "$TMP/nginx"
	[ -e "$TMP/www/index.html" ] || echo hello >"$TMP/www/index.html"
	cat >"$TMP/nginx.conf" <<-CONF
		daemon off;
		worker_processes $workers;
		pid $TMP/nginx.pid;
		error_log $TMP/nginx-error.log;
		events { worker_connections 512; }
		http {
			types { text/html html; }
			default_type text/plain;
			log_format t '\$msec \$status \$request_time \$request';
			access_log $TMP/nginx-access.log t;
			$http
			client_body_temp_path $TMP/nginx/body;
			proxy_temp_path $TMP/nginx/proxy;
			fastcgi_temp_path $TMP/nginx/fastcgi;
			uwsgi_temp_path $TMP/nginx/uwsgi;
			scgi_temp_path $TMP/nginx/scgi;
			server {
				listen 127.0.0.1:$port;
				root $TMP/www;
				$lines
			}
		}
	CONF
	spawn nginx -e "$TMP/nginx-error.log" -p "$TMP" -c "$TMP/nginx.conf"
	NGINX_PID=$SPAWNED
	wait_until 10 tcp_open "$port" || bail "nginx did not start" "$(cat "$TMP/nginx-error.log")"
}
# FastCGI lines for nginx_start: PHP through a socket
nginx_php() {
	cat <<-CONF
		location ~ \.php {
			fastcgi_pass unix:$1;
			fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
			fastcgi_param SCRIPT_NAME \$fastcgi_script_name;
			fastcgi_param REQUEST_METHOD \$request_method;
			fastcgi_param REQUEST_URI \$request_uri;
			fastcgi_param QUERY_STRING \$query_string;
			fastcgi_param CONTENT_TYPE \$content_type;
			fastcgi_param CONTENT_LENGTH \$content_length;
			fastcgi_param SERVER_PROTOCOL \$server_protocol;
		}
	CONF
}
# php_start SOCKET [WORKERS [POOL-LINES]]: $PHP_PID, pool "www"
php_start() {
	local socket=$1 workers=${2:-2} lines=${3:-} bin
	bin=$(compgen -c | grep -E '^php-fpm[0-9.]*$' | sort -V | tail -n 1)
	[ -n "$bin" ] || bail "php-fpm is not installed"
	cat >"$TMP/php-fpm.conf" <<-CONF
		[global]
		error_log = $TMP/php-error.log
		daemonize = no
		[www]
		user = www-data
		group = www-data
		listen = $socket
		listen.mode = 0666
		pm = static
		pm.max_children = $workers
		clear_env = no
		$lines
	CONF
	spawn "$bin" -y "$TMP/php-fpm.conf" -F
	PHP_PID=$SPAWNED
	wait_until 10 sock_open "$socket" || bail "php-fpm did not start" "$(cat "$TMP/php-error.log")"
}
# haproxy_start PORT BACK-PORT [FRONTEND-LINES]: $HAPROXY_PID; it asks one thing at a time of a server
# that has to listen already, logs to $TMP/haproxy.log, and listens only on 127.0.0.1
haproxy_start() {
	cat >"$TMP/haproxy.cfg" <<-CONF
		global
		  nbthread 1
		  log stdout format raw local0
		defaults
		  mode http
		  timeout connect 5s
		  timeout client 30s
		  timeout server 30s
		frontend f
		  bind 127.0.0.1:$1
		  ${3:-}
		  default_backend b
		backend b
		  server g 127.0.0.1:$2 maxconn 1
	CONF
	wait_until 10 listens "$2" || bail "nobody listens behind haproxy"
	spawn haproxy -db -f "$TMP/haproxy.cfg" >"$TMP/haproxy.log" 2>"$TMP/haproxy.err"
	HAPROXY_PID=$SPAWNED
	wait_until 10 listens "$1" || bail "haproxy did not start" "$(cat "$TMP/haproxy.err")"
}
# postgres_start PORT [OPTION=VALUE...]: $POSTGRES_PID; user and database "postgres", no password,
# TCP on 127.0.0.1 and a Unix socket in $TMP/pg
postgres_start() {
	local port=$1 bin option options=()
	shift
	bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$bin/initdb" ] || bail "PostgreSQL is not installed"
	mkdir -p "$TMP/pg"
	chown postgres "$TMP/pg"
	as_postgres "$bin/initdb" -D "$TMP/pg/data" -A trust -N -E UTF8 --no-locale \
		>"$TMP/initdb.out" 2>&1 || bail "initdb failed" "$(cat "$TMP/initdb.out")"
	for option in fsync=off "$@"; do
		options+=(-c "$option")
	done
	spawn as_postgres "$bin/postgres" -D "$TMP/pg/data" -p "$port" -k "$TMP/pg" -h 127.0.0.1 \
		"${options[@]}" >"$TMP/postgres.log" 2>&1
	POSTGRES_PID=$SPAWNED
	wait_until 20 tcp_open "$port" || bail "postgres did not start" "$(cat "$TMP/postgres.log")"
}
# setpriv executes in place, so that the pid is the server's own
as_postgres() { cd / && exec_or_run setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
# a spawned function is a subshell that may become the command; the script itself may not
exec_or_run() {
	if [ "$BASHPID" != "$$" ]; then exec "$@"; else (exec "$@"); fi
}

# children_of PID: itself and its children, separated by commas (for -p)
children_of() {
	{ echo "$1" && pgrep -P "$1"; } | paste -sd,
}

# ---- recordings ------------------------------------------------------------------------------
RECORDS=0
# record_start PIDS [ARGS...]: tardy records to $TMP/data; returns when it measures. $RECORD_FROM
# and, after record_end, $RECORD_TO are the seconds (Unix time) in which it surely did.
record_start() {
	local pids=$1
	shift
	rm -f "$TMP/data" "$TMP/data.part"
	tardy_start record -p "$pids" -o "$TMP/data" "$@"
	wait_until 10 grep -q 'recording to' "$TMP/tardy.err" ||
		bail "tardy did not begin to record" "$(cat "$TMP/tardy.err")"
	RECORD_FROM=$EPOCHREALTIME
}
# record_end: ends it as ^C does; what is at rest by then is in the capture. $RECORD_STATUS
# TARDY_CAPTURES=DIR keeps each capture there, by the script's name and a number.
record_end() {
	RECORD_TO=$EPOCHREALTIME
	sleep 0.5
	end_pid "$TARDY_PID" INT
	RECORD_STATUS=$?
	[ -z "${TARDY_CAPTURES:-}" ] ||
		cp "$TMP/data" "$TARDY_CAPTURES/$(basename "$0" .sh)_$((RECORDS += 1)).data"
}
# report_json FILE SECTION...: what a capture says, as JSON lines in FILE
report_json() {
	local file=$1
	shift
	"$TARDY" report -i "$TMP/data" "$@" -F json >"$file" 2>"$TMP/report.err" ||
		bail "tardy report $*" "$(cat "$TMP/report.err")"
}
# ---- the demo classroom ------------------------------------------------------------------------
CLASSROOM=$TARDY_ROOT/tools/demo/classroom
# classroom_up MODE [ARGS...]: the classroom in $TMP/class (log in $TMP/class/log); "up" again
# changes the mode. $CLASSROOM_URL, $CLASSROOM_PIDS
classroom_up() {
	local mode=$1
	shift
	export TARDY_LOAD=${TARDY_LOAD:-$TARDY_BUILD/demo-load}
	CLASSROOM_URL=$("$CLASSROOM" up --dir "$TMP/class" --mode "$mode" "$@" 2>"$TMP/class.err") ||
		bail "the classroom did not come up" "$(cat "$TMP/class.err")"
	at_exit '"$CLASSROOM" down --dir "$TMP/class" >/dev/null 2>&1'
	CLASSROOM_PIDS=$("$CLASSROOM" pids --dir "$TMP/class")
}
# classroom_load SECONDS [ARGS...]: visitors in the background, $LOAD_PID
classroom_load() {
	local seconds=$1
	shift
	spawn "$CLASSROOM" load --dir "$TMP/class" --seconds "$seconds" "$@" >"$TMP/load.out" 2>&1
	LOAD_PID=$SPAWNED
}
classroom_down() { "$CLASSROOM" down --dir "$TMP/class" >/dev/null 2>&1; }
