#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds and runs test suites and adds them up; docs/testing.md says how to write a test.
#
#   tools/run-tests.sh [--setup] SUITE...      ("all" = every suite that a release needs)
#
# A job is one test program or script. Its TAP lines (ok / not ok) are counted when it writes
# any, else the job itself is one test. What could not run has failed: a test that skips itself,
# a suite that finds no test, a plan that was not fulfilled. Only a person leaves something out:
# TARDY_SKIP='live unit/slice_test'. The last line is "N passed, N failed".
#
# Environment: TESTS='name ...' only these jobs; TARDY_JOBS; FUZZ_BUDGET (seconds of a processor that
# all fuzz targets share) or FUZZ_SECONDS (of each); TARDY_DEADLINE (seconds for everything, after
# which the remaining jobs fail unrun); V=1 full output.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES SAN COV FUZZ WERROR
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C.UTF-8 TZ=UTC
export TARDY_ROOT=$PWD
export BUILD=${BUILD:-build}
case $BUILD in /*) TARDY_BUILD=$BUILD ;; *) TARDY_BUILD=$PWD/$BUILD ;; esac
export TARDY_BUILD TARDY=$TARDY_BUILD/tardy
TARDY_SKIP=${TARDY_SKIP:-} TESTS=${TESTS:-} V=${V:-}
JOBS=${TARDY_JOBS:-$(nproc)}
# 3 minutes on two processors, and some 80 s to build the targets when nothing is built
FUZZ_BUDGET=${FUZZ_BUDGET:-360}
FUZZ_SECONDS=${FUZZ_SECONDS:-}
DEADLINE=${TARDY_DEADLINE:-3480}
RESULTS=$TARDY_BUILD/test-results
passed=0 failed=0 skipped=0
failures=()

# Suites of "make test" in order. Those in OPTIONAL count only once their folder exists.
ALL_SUITES="build lint unit san fuzz golden tui compare live oracle vm"
OPTIONAL="compare vm"

is_in() { case " $2 " in *" $1 "*) return 0 ;; esac; return 1; }
skipping() { is_in "$1" "$TARDY_SKIP" || is_in "$1/$2" "$TARDY_SKIP"; }

note() { printf '%s\n' "$*"; }

# tally LOG RC: prints "passed failed" for one job
tally() {
	awk -v rc="$2" '
		/^ok [0-9]+/ && / # SKIP/ { bad++; next }
		/^ok( |$)/ { good++; next }
		/^not ok( |$)/ { bad++; next }
		/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $1; plan = 1 }
		END {
			seen = good + bad
			if (!seen && !plan) { print (rc == 0), (rc != 0); exit }
			if (plan && planned > seen) bad += planned - seen
			if (plan && !planned && !seen) bad++
			if (rc != 0 && !bad) bad++
			print good + 0, bad + 0
		}' "$1"
}

# run_job SUITE NAME TIMEOUT COMMAND...: runs it to the end, leaves NAME.log and NAME.sum
run_job() {
	local suite=$1 name=$2 limit=$3 log dir begin rc sum
	shift 3
	dir=$RESULTS/$suite log=$RESULTS/$suite/$name.log
	begin=$SECONDS
	if ((SECONDS >= DEADLINE)); then
		echo "not run: the whole run had used up its $DEADLINE s" >"$log"
		rc=124
	else
		timeout -k 20 "$limit" "$@" >"$log" 2>&1 </dev/null
		rc=$?
		((rc == 124 || rc == 137)) && echo "# ended after its time limit of $limit s" >>"$log"
	fi
	sum=$(tally "$log" "$rc")
	echo "$sum $rc" >"$dir/$name.sum"
	local good=${sum% *} bad=${sum#* } word=ok shown=150
	[ "$V" = 1 ] && shown=+1
	((bad > 0)) && word=FAIL
	printf '%-4s %-40s %3d passed %2d failed %4ds\n' "$word" "$suite/$name" "$good" "$bad" \
		$((SECONDS - begin))
	# one write, so that jobs that run at the same time do not mix their output
	if ((bad > 0)) || [ "$V" = 1 ]; then
		printf '%s\n' "$(tail -n "$shown" "$log" | sed 's/^/     | /')"
	fi
}

# The jobs of a suite: "job NAME TIMEOUT COMMAND..." queues, run_queue runs N at a time.
queue=()
job() {
	local name=$1
	if [ -n "$TESTS" ] && ! is_in "$name" "$TESTS"; then
		return
	fi
	if skipping "$suite" "$name"; then
		note "skip $suite/$name (TARDY_SKIP)"
		skipped=$((skipped + 1)) ran=$((ran + 1))
		return
	fi
	ran=$((ran + 1))
	queue+=("$(printf '%q ' "$suite" "$@")")
}
run_queue() {
	local limit=$1 entry running=0
	for entry in "${queue[@]}"; do
		if ((running >= limit)); then
			wait -n
			running=$((running - 1))
		fi
		eval "run_job $entry" &
		running=$((running + 1))
	done
	wait
	queue=()
}

fail_now() {
	note "FAIL $1"
	failed=$((failed + 1))
	failures+=("$1")
}

# One make at a time in a build folder, whoever else runs tests in this tree.
locked_make() { flock "$TARDY_BUILD/.make.lock" make -s -k "$@"; }

# build_for TARGET [VAR=...]: builds what a suite runs; its output is shown only on failure
build_for() {
	local log=$RESULTS/$suite/build.out
	locked_make "$@" >"$log" 2>&1 </dev/null && return 0
	tail -n 60 "$log" | sed 's/^/     | /'
	fail_now "$suite: make $*"
	return 1
}

need_root() {
	[ "$(id -u)" = 0 ] && return 0
	fail_now "$suite: needs root (sudo make test-$suite)"
	return 1
}

# A script may say "# timeout: SECONDS" among its first lines.
limit_of() {
	local own
	own=$(sed -n '1,15s/^# timeout: *\([0-9]\+\).*/\1/p' "$1")
	echo "${own:-$2}"
}

# scripts DIR LIMIT [live]: queue the scripts of a folder; live ones take the one lock first
scripts() {
	local s limit
	for s in tests/"$1"/*.sh; do
		[ -f "$s" ] || continue
		limit=$(limit_of "$s" "$2")
		if [ "${3:-}" = live ]; then
			job "$(basename "$s" .sh)" 3600 flock -o "$LIVE_LOCK" \
				env TARDY_LIVE_LOCKED=1 timeout -k 20 "$limit" bash "$s"
		else
			job "$(basename "$s" .sh)" "$limit" bash "$s"
		fi
	done
}

unit_jobs() {
	local t
	for t in tests/unit/*_test.c; do
		[ -f "$t" ] || continue
		t=$(basename "$t" .c)
		job "$t" "$2" env CMOCKA_MESSAGE_OUTPUT=TAP "$1/unit/$t"
	done
	run_queue "$JOBS"
}

# fuzz_job NAME SECONDS: no input may take 10 s, on a busy host either; the slowest seen takes 0.3 s
fuzz_job() {
	local corpus=$TARDY_BUILD/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1
	mkdir -p "$corpus"
	[ -d "$seeds" ] || seeds=
	job "$1" $(($2 + 120)) "$TARDY_BUILD/fuzz/fuzz/$1" \
		-max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$RESULTS/fuzz/$1-" "$corpus" ${seeds:+"$seeds"}
}

# ---- the suites ----------------------------------------------------------------------------
suite_build() {
	# the runner's own arithmetic first: everything below is believed because of it
	job runner 60 bash tests/lib/runner-selftest.sh
	job all 900 flock "$TARDY_BUILD/.make.lock" make -s -k all
	run_queue 1
	# "make" leaves out what has no source: here the program itself has to be there
	job tardy 10 test -x "$TARDY"
	run_queue 1
}
suite_lint() {
	local t
	job layers 60 bash tests/lib/lint-selftest.sh
	for t in gcc clang analyze format rules shell; do
		job "$t" 900 flock "$TARDY_BUILD/.make.lock" make -s -k "lint-$t"
	done
	run_queue 1
}
suite_unit() { build_for unit-bins && unit_jobs "$TARDY_BUILD" 120; }
suite_san() {
	export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
	export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
	build_for unit-bins SAN=1 BUILD="$BUILD/san" && unit_jobs "$TARDY_BUILD/san" 300
}
suite_fuzz() {
	local t each targets=(tests/fuzz/*_fuzz.c)
	build_for fuzz-bins FUZZ=1 BUILD="$BUILD/fuzz" || return
	each=${FUZZ_SECONDS:-$((FUZZ_BUDGET / ${#targets[@]} + 1))}
	for t in "${targets[@]}"; do
		[ -f "$t" ] && fuzz_job "$(basename "$t" .c)" "$each"
	done
	run_queue "$JOBS"
}
suite_golden() { build_for test-bins && scripts golden 120 && run_queue "$JOBS"; }
suite_tui() { build_for test-bins && scripts tui 180 && run_queue "$JOBS"; }
suite_compare() { need_root && build_for test-bins && scripts compare 600 live && run_queue 1; }
suite_live() { need_root && build_for test-bins && scripts live 600 live && run_queue 1; }
suite_oracle() {
	local status

	need_root && build_for test-bins && scripts oracle 1200 live && run_queue 1
	status=$?
	grep -hs '^oracle: [0-9]' "$RESULTS/oracle/run.log" # how near the answer came
	return "$status"
}
suite_vm() { need_root && build_for test-bins && scripts vm 600 && run_queue 1; }
suite_bench() {
	need_root && build_for test-bins || return
	V=1 # the numbers are the point
	scripts bench 1800 live && run_queue 1
}

collect() {
	local f good bad rc
	for f in "$RESULTS/$1"/*.sum; do
		[ -f "$f" ] || continue
		read -r good bad rc <"$f"
		passed=$((passed + good)) failed=$((failed + bad))
		((bad > 0)) && failures+=("$1/$(basename "$f" .sum) (exit $rc)")
	done
}

run_suite() {
	suite=$1 ran=0
	local before=$failed begin=$SECONDS
	if is_in "$suite" "$TARDY_SKIP"; then
		note "skip $suite (TARDY_SKIP)"
		skipped=$((skipped + 1))
		return
	fi
	note "== $suite"
	rm -rf "${RESULTS:?}/$suite"
	mkdir -p "$RESULTS/$suite"
	"suite_$suite"
	collect "$suite"
	if ((ran == 0 && failed == before)); then
		fail_now "$suite: no test was found"
	fi
	note "== $suite: $((SECONDS - begin)) s"
}

finish() {
	if [ -n "${SUDO_UID:-}" ] && [ -d "$TARDY_BUILD" ]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$TARDY_BUILD" 2>/dev/null
	fi
	note
	if ((${#failures[@]})); then
		note "failed:"
		printf '  %s\n' "${failures[@]}"
		note
	fi
	if ((skipped)); then
		note "$passed passed, $failed failed, $skipped skipped"
	else
		note "$passed passed, $failed failed"
	fi
	((failed == 0 && passed > 0))
}

main() {
	local setup='' wanted=() arg s
	for arg in "$@"; do
		case $arg in
		--setup) setup=1 ;;
		all)
			for s in $ALL_SUITES; do
				is_in "$s" "$OPTIONAL" && [ ! -d "tests/$s" ] && continue
				wanted+=("$s")
			done
			;;
		*) wanted+=("$arg") ;;
		esac
	done
	mkdir -p "$RESULTS" || exit 1
	LIVE_LOCK=${TARDY_LIVE_LOCK:-$TARDY_ROOT/build/live.lock}
	mkdir -p "$(dirname "$LIVE_LOCK")"
	export TARDY_LIVE_LOCK=$LIVE_LOCK
	if [ -n "$setup" ] && ! tools/setup.sh build test demo; then
		fail_now "tools/setup.sh build test demo"
		finish
		return
	fi
	for s in "${wanted[@]}"; do
		if ! declare -F "suite_$s" >/dev/null; then
			fail_now "no such suite: $s"
			continue
		fi
		run_suite "$s"
	done
	finish
}
main "$@"
