#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Debian's 6.12 kernel: doctor, the oracle, real HTTP exchanges, and tcprtt (which needs a kernel
# that allows kprobes) on the same connection.
# timeout: 600
. "$(dirname "$0")/../lib/vm.sh"
here=$TARDY_ROOT/tests/vm

run_on() {
	vm_run 6.12 "$1" 240 "$2"
	facts python3 "$here/http_check.py" "$VM_OUT" "$2"
	# (the clocks of two are not judged)
	[ "$2" = 2 ] || grep -h 'FAIL' "$VM_OUT"/oracle.* | sed 's/^/#   /'
}
run_on one 1
run_on two 2
done_testing
