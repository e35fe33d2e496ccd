#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The test runner's own test: a tree of small scripts with known results goes through it.
. "$(dirname "$0")/check.sh"

tree=$TMP/tree
mkdir -p "$tree/tools" "$tree/tests/golden"
cp "$TARDY_ROOT/tools/run-tests.sh" "$tree/tools/"
cp -r "$TARDY_ROOT/tests/lib" "$tree/tests/"
printf 'test-bins:\n\t@:\n' >"$tree/Makefile"

# runs WANTED-STATUS WANTED-LAST-LINE NAME [VAR=VALUE...]: golden over the scripts there are
runs() {
	local status=$1 last=$2 name=$3 out rc
	shift 3
	out=$(env -u TARDY_ROOT -u TARDY_BUILD -u TARDY -u TESTS -u V -u TARDY_SKIP BUILD=build \
		"$@" "$tree/tools/run-tests.sh" golden 2>&1)
	rc=$?
	is "$name: status" "$rc" "$status"
	is "$name: last line" "$(tail -n 1 <<<"$out")" "$last"
}
script() { printf '%s\n' '#!/bin/bash' "${@:2}" >"$tree/tests/golden/$1.sh"; }
only() { rm -f "$tree"/tests/golden/*.sh; script "$@"; }

runs 1 '0 passed, 1 failed' 'a suite without tests fails'
only a 'exit 0'
runs 0 '1 passed, 0 failed' 'a plain script counts as one'
only a 'exit 3'
runs 1 '0 passed, 1 failed' 'its status decides'
only a 'echo 1..2; echo ok 1; echo ok 2'
runs 0 '2 passed, 0 failed' 'TAP lines are counted'
only a 'echo 1..2; echo ok 1; echo not ok 2'
runs 1 '1 passed, 1 failed' 'failures are counted whatever the status'
only a 'echo 1..3; echo ok 1'
runs 1 '1 passed, 2 failed' 'a plan that was not fulfilled'
only a 'echo ok 1; exit 139'
runs 1 '1 passed, 1 failed' 'a crash after success'
only a 'echo 1..1; echo "ok 1 # SKIP no kernel"'
runs 1 '0 passed, 1 failed' 'a test that skips itself has failed'
only a 'echo 1..1; echo "not ok 1 # SKIP no kernel"'
runs 1 '0 passed, 1 failed' 'so it has in cmocka form'
only a 'echo 1..0'
runs 1 '0 passed, 1 failed' 'an empty plan fails'
only a '# timeout: 1' 'echo ok 1; sleep 30'
runs 1 '1 passed, 1 failed' 'a time limit'
only a 'exit 0'
script b 'exit 1'
runs 1 '1 passed, 1 failed' 'two scripts'
runs 0 '1 passed, 0 failed, 1 skipped' 'a person may skip one' TARDY_SKIP='golden/b'
runs 1 '0 passed, 0 failed, 1 skipped' 'but not everything' TARDY_SKIP='golden'
runs 0 '1 passed, 0 failed' 'a person may choose one' TESTS=a
runs 1 '0 passed, 2 failed' 'what the time did not suffice for' TARDY_DEADLINE=0
only a ". \"\$TARDY_ROOT/tests/lib/check.sh\"" 'is x 1 1; exit 0'
runs 1 '1 passed, 1 failed' 'a script that forgets done_testing'
only a ". \"\$TARDY_ROOT/tests/lib/check.sh\"" 'is x 1 1' 'is y 1 2' 'done_testing'
runs 1 '1 passed, 1 failed' 'check.sh counts'
only a 'exit 0'
printf 'test-bins:\n\t@exit 1\n' >"$tree/Makefile"
runs 1 '0 passed, 1 failed' 'a build that fails'
done_testing
