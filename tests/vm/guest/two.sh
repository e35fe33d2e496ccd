# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two processors, for what one cannot show: wakeups and exchanges across them. Their clocks go in
# turns (tests/lib/vm.sh), so of the oracle only what needs no clock is judged here.
. /scenes.sh
load loop
scene_doctor
scene_http
TARDY_ORACLE_TRIES=1 scene_oracle threads --mode threads --samples 5
like "oracle: each request is found, none is invented" /out/oracle.threads \
	'missed 0, invented 0, wrong route or status 0, incomplete 0, aborted 0, residue above 1 us 0'
is "oracle: at most 1 % is unknown" "$(grep -c 'unknown.*FAIL' /out/oracle.threads)" 0
like "oracle: each holder is named, none is false" /out/oracle.threads '^holders: 10 of 10 named, 0 falsely'
