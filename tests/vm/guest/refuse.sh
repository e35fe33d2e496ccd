# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A kernel without the socket tracepoints (before 6.3): tardy says so, and leaves nothing.
for how in 'record -p 1 -o /tmp/none --duration 1s' 'report --duration 1s' '-b -n 1'; do
	# shellcheck disable=SC2086
	/build/tardy $how >/tmp/out 2>/tmp/err
	is "$how: exit status" $? 3
	like "$how: says why" /tmp/err 'error\[T[0-9]+\]'
	say "# $(head -n 1 /tmp/err)"
	cp /tmp/err "/out/err.${how%% *}"
done
[ ! -e /tmp/none ]
is "no file is left" $? 0
/build/tardy doctor >/out/doctor 2>&1
is "doctor: exit status" $? 1
like "doctor: names the hook that is missing" /out/doctor '^FAIL +sock_recv_length .*does not have it'
like "doctor: what that means" /out/doctor '= fix: Linux 6.3 or later has it'
