# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two processors, for what one cannot show: wakeups and exchanges across them. Their clocks go in
# turns (tests/lib/vm.sh), so of the oracle only what needs no clock is judged here.
. /scenes.sh
load loop
scene_doctor
# a processor that goes and comes is sampled again: one event of perf for each that is online
/build/tardy record -q -p 1 --duration 60s -o /out/cpus &
tardy=$!
events() {
	local fd n=0
	for fd in "/proc/$tardy/fd/"*; do
		[[ $(readlink "$fd") != *perf_event* ]] || n=$((n + 1))
	done
	echo "$n"
}
events_are() {
	local i
	for i in $(seq 100); do
		[ "$(events)" = "$1" ] && return
		sleep 0.2
	done
	return 1
}
events_are 2
is "both processors are sampled" $? 0
echo 0 >/sys/devices/system/cpu/cpu1/online
events_are 1
is "the one that is left" $? 0
echo 1 >/sys/devices/system/cpu/cpu1/online
events_are 2
is "both again" $? 0
kill -INT "$tardy"
wait "$tardy"
scene_http
scene_oracle threads --mode threads --samples 5
like "oracle: each request is found, none is invented" /out/oracle.threads \
	'missed 0, invented 0, wrong route or status 0, incomplete 0, aborted 0, residue above 1 us 0'
is "oracle: at most 1 % is unknown" "$(grep -c 'unknown.*FAIL' /out/oracle.threads)" 0
like "oracle: each holder is named, none is false" /out/oracle.threads '^holders: 10 of 10 named, 0 falsely'
