#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Behind "make run", "make demo" and "make demo-down": installs what is missing, builds, and opens
# the live view on this host's servers, or on the bundled demo classroom when there are none.
#
#   run        DEMO=1 forces the demo, DEMO=0 forbids it; what run started, it ends
#   demo       the classroom stays up until demo-down
#   demo-down  ends it
#
# ARGS are passed on to tardy. MODE is the demo's trouble (default: what is up, else exam-start).
# DEMO_SECONDS limits the load (default: one day).
set -eu
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export PATH="$PATH:/usr/sbin:/sbin"
BUILD=${BUILD:-build}
DEMO=${DEMO:-}
classroom=tools/demo/classroom
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
export TARDY_LOAD=$BUILD/demo-load
load_pid=
started=

die() { printf 'run: %s\n' "$*" >&2; exit 1; }
demo_pids() { $classroom pids 2>/dev/null || true; }

# Executables of the servers that tardy knows.
is_server() {
	case $1 in
	nginx | apache2 | httpd | lighttpd | caddy | haproxy | varnishd | php-fpm* | postgres | \
		mysqld | mariadbd | redis-server | valkey-server | memcached | gunicorn* | uvicorn* | \
		uwsgi* | puma* | ruby* | java | node | nodejs) return 0 ;;
	esac
	return 1
}

# Does a server of this host listen, the demo's own aside?
host_serves() {
	local demo pid parent exe comm
	demo=" $(demo_pids | tr ',\n' '  ') "
	for pid in $({ ss -Hltnp && ss -Hlxp; } 2>/dev/null | grep -o 'pid=[0-9]*' |
		cut -d= -f2 | sort -un); do
		parent=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status" 2>/dev/null || true)
		case $demo in *" $pid "* | *" ${parent:-none} "*) continue ;; esac
		exe=$(readlink "/proc/$pid/exe" 2>/dev/null || true)
		exe=${exe% (deleted)}
		comm=$(cat "/proc/$pid/comm" 2>/dev/null || true)
		if is_server "${exe##*/}" || is_server "$comm"; then
			return 0
		fi
	done
	return 1
}

end_demo() {
	if [ -n "$load_pid" ]; then
		kill "$load_pid" 2>/dev/null || true
		wait "$load_pid" 2>/dev/null || true
		load_pid=
	fi
	if [ -n "$started" ]; then
		started=
		$classroom down >/dev/null 2>&1 || true
	fi
}

start_demo() {
	[ -x $classroom ] || die "$classroom is missing"
	if [ -z "$(demo_pids)" ]; then
		echo "run: starting the demo classroom (nginx, php-fpm, PostgreSQL) ..."
		started=1
		$classroom up --mode "${MODE:-exam-start}" || die "the demo classroom did not start"
	elif [ -n "${MODE:-}" ]; then
		$classroom up --mode "$MODE" || die "the demo classroom did not change its mode"
	fi
	$classroom load --seconds "${DEMO_SECONDS:-86400}" >"$BUILD/demo-load.log" 2>&1 </dev/null &
	load_pid=$!
}

prepare() {
	[ "$(id -u)" = 0 ] || die "tardy needs root: sudo make $1"
	tools/setup.sh build
	make -s all
}

view_demo() {
	local pids status=0
	tools/setup.sh demo
	trap end_demo EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	start_demo
	pids=$(demo_pids | tr -s ' \n' ',' | sed 's/^,//; s/,$//')
	[ -n "$pids" ] || die "the demo classroom has no processes"
	# a process killed by the terminal's ^C leaves the clean-up to the trap
	# shellcheck disable=SC2086 # ARGS holds words
	"$BUILD/tardy" -p "$pids" ${ARGS:-} || status=$?
	return $status
}

case ${1:-run} in
run)
	prepare run
	if [ "$DEMO" = 1 ] || { [ "$DEMO" != 0 ] && ! host_serves; }; then
		view_demo
	else
		# shellcheck disable=SC2086 # ARGS holds words
		exec "$BUILD/tardy" ${ARGS:-}
	fi
	;;
demo)
	prepare demo
	status=0
	view_demo || status=$?
	started=
	echo "run: the demo classroom is still up; 'make demo-down' ends it"
	exit $status
	;;
demo-down)
	[ -x $classroom ] || die "$classroom is missing"
	exec $classroom down
	;;
*) die "unknown command '$1' (run, demo, demo-down)" ;;
esac
