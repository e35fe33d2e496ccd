#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A cache whose threads change their work: one reads a request and waits, another fetches for it, and who
# asks for what is being fetched already is left by its thread and taken up by any. A thread that was seen
# in a request last is in none by then, and holds nothing.
# timeout: 60
. "$(dirname "$0")/../lib/live.sh"
here=$TARDY_ROOT/tests/live
kernel_mark

behind=$(free_port)
spawn python3 "$here/handoff.py" backend "$behind"
backend=$SPAWNED
wait_until 10 listens "$behind" || bail "the backend did not start"
port=$(free_port)
cat >"$TMP/cache.vcl" <<-VCL
	vcl 4.1;
	backend default { .host = "127.0.0.1"; .port = "$behind"; }
VCL
chmod 755 "$TMP"
chmod 644 "$TMP/cache.vcl"
spawn varnishd -F -a "127.0.0.1:$port" -f "$TMP/cache.vcl" -n "$TMP/cache" -s malloc,32M -T none \
	-j none >"$TMP/cache.out" 2>&1
cache=$SPAWNED
wait_until 20 tcp_open "$port" || bail "varnishd did not start" "$(cat "$TMP/cache.out")"

record_start "$(children_of "$cache"),$backend"
python3 "$here/handoff.py" client "$port" || bail "the visitors were not served"
record_end
is "record ended well" "$RECORD_STATUS" 0
report_json "$TMP/report" requests health
facts python3 "$here/handoff.py" check "$TMP/report" varnishd

end_pid "$cache"
kernel_clean
done_testing
