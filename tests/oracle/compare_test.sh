#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the oracle's comparator with made-up truth and answers: an answer that agrees must pass,
# and each kind of disagreement must fail. An oracle that cannot say no proves nothing.
#
# The arithmetic, by hand, of each of the 30 requests of a group; arrival at T, times in us:
#	client: send called at T-5, returned at T+5
#	server: read returns at T+50, of which 20 were run-queue delay, so 30 cpu
#	own:    W in the cause, 100 cpu, 330 delay               => end at T+50+W+430
#	tardy:  W of the cause, cpu 130, runq 350, wall W+480
# upstream: calls another server at T+60, which is asked at U = T+62 (send called at U-1, returned at U+1)
#	server: read returns at U+50, as above; sleeps W-1000, 100 cpu, 300 delay => end at U+W-550
#	tardy:  sleep W-1000, cpu 130, runq 320, wall W-550
# backlog: the worker's previous request ends at T+W, read returns at T+W+50, own is 100 cpu and 330
# delay: queue W, and the rest as above.

set -u
compare=${ORACLE_COMPARE:-${TARDY_BUILD:-${BUILD:-build}}/oracle/oracle_compare}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
failed=0
options=
tests=0

# fabricate KNOB=VALUE...: writes server, client, callee and answer; the knobs change the answer only, but for
# n: how many of a group
fabricate()
{
	local -a knobs=()
	local knob

	for knob in "$@"; do
		knobs+=(-v "$knob")
	done
	awk -v dir="$dir" -v n=30 -v every=1 -v group="" "${knobs[@]}" '
	function part(cause, us, extra) {
		if (us == 0)
			return
		parts = parts (parts == "" ? "" : ",") \
			"{\"who\":\"oracle_server\",\"cause\":\"" cause "\",\"what\":\"\"," \
			"\"via\":\"" via "\",\"held_by\":\"" extra "\",\"us\":" us "}"
	}
	function request(name, cause, path, i,    t, w, q, own_wall, wall, cpu, runq, held, hit) {
		id++
		t = 1000000 + id * 100000
		w = 5000 + i * 100
		q = name == "backlog" ? w : 0
		own_wall = (q ? 0 : w) + 430
		spin = name == "spin" ? w : 0
		printf "{\"id\":%.0f,\"pid\":70,\"tid\":71,\"method\":\"GET\",\"path\":\"%s\"," \
			"\"accept_call_ns\":0,\"accept_ns\":0,\"prev_end_ns\":%.0f," \
			"\"read_call_ns\":%.0f," \
			"\"read_done_ns\":%.0f,\"end_ns\":%.0f,\"last_send_off_ns\":0,", id, path,
			q ? (t + q) * 1000 : 0, (t - 1000) * 1000, (t + q + 50) * 1000,
			(t + q + 50 + own_wall) * 1000 > server
		printf "\"head\":[50000,30000,20000,0],\"accept\":[0,0,0,0]," \
			"\"read\":[1050000,35000,20000,0],\"own\":[%.0f,%.0f,330000,0],\"waits\":[",
			own_wall * 1000, (100 + spin) * 1000 > server
		if (name != "backlog")
			printf "{\"cause\":\"%s\",\"arg\":1,%s\"span\":[%.0f,%.0f,0,0]}", name,
				name == "upstream" ? call(t + 62) : "", w * 1000, spin * 1000 > server
		print "]}" > server
		printf "{\"id\":%.0f,\"group\":\"%s\",\"send_call_ns\":%.0f," \
			"\"send_done_ns\":%.0f,\"last_byte_ns\":0}\n", id, name,
			(t - 5) * 1000, (t + 5) * 1000 > client

		# the answer; knobs hit every n-th request of one group, or of all
		hit = (group == "" || group == name) && i % every == 0
		if (hit && miss)
			return
		cpu = 130 + spin
		runq = 350
		wall = w + 480
		parts = ""
		via = hit && hop != "" ? hop : ""
		held = name == "mutex" ? "GET /hold/mutex" : ""
		if (hit && holder != "")
			held = holder == "none" ? "" : holder
		if (hit && swap) {
			cpu += swap
			runq -= swap
		}
		if (name != "spin")
			part(hit && instead != "" ? instead : cause,
				w + (hit ? error - leak - unknown : 0), held)
		via = ""
		part("cpu", cpu + (hit && name == "spin" ? error : 0), "")
		part("runq", runq, "")
		if (hit) {
			part("other", leak, "")
			part("unknown", unknown, "")
		}
		wall += hit ? error + residue : 0
		row(t + (hit ? late : 0), wall - (hit ? late : 0), path, hit)
		if (name == "upstream")
			called(t + 62, w - 1000, hit)
		if (hit && invent && i == 0)
			row(t + 50000, wall, path, hit)
	}
	function call(u) {
		return sprintf("\"call\":{\"id\":%.0f,\"send_call_ns\":%.0f,\"send_done_ns\":%.0f},",
			1000000 + id, (u - 1) * 1000, (u + 1) * 1000)
	}
	function called(u, w, hit) {
		printf "{\"id\":%.0f,\"pid\":80,\"tid\":81,\"method\":\"\",\"path\":\"/store\"," \
			"\"read_call_ns\":%.0f,\"read_done_ns\":%.0f,\"end_ns\":%.0f," \
			"\"read\":[1050000,35000,20000,0],\"own\":[%.0f,100000,300000,0]," \
			"\"waits\":[{\"cause\":\"sleep\",\"arg\":1,\"span\":[%.0f,0,0,0]}]}\n",
			1000000 + id, (u - 1000) * 1000, (u + 50) * 1000, (u + w + 450) * 1000,
			(w + 400) * 1000, w * 1000 > callee
		if (hit && lack)
			return
		printf "{\"kind\":\"request\",\"id\":\"%.0f\",\"parent\":%s,\"start_unix_us\":\"%.0f\"," \
			"\"wall_us\":%.0f,\"pid\":80,\"tid\":81,\"method\":null,\"route\":\"%s\"," \
			"\"status\":null,\"entry\":%s,\"incomplete\":false,\"aborted\":false," \
			"\"parts\":[{\"cause\":\"sleep\",\"us\":%.0f},{\"cause\":\"cpu\",\"us\":130}," \
			"{\"cause\":\"runq\",\"us\":320}]}\n", 1000000 + id,
			hit && parent != "" ? parent : "\"" id "\"", u + 1700000000000000, w + 450,
			hit && named != "" ? named : "port 7", hit && entry ? "true" : "false", w > answer
	}
	function row(start, wall, path, hit) {
		if (hit && late)
			parts = "{\"cause\":\"cpu\",\"us\":" wall "}"
		printf "{\"kind\":\"request\",\"id\":\"%.0f\",\"start_unix_us\":\"%.0f\"," \
			"\"wall_us\":%.0f,\"service\":\"oracle_server\",\"pid\":70,\"tid\":71," \
			"\"method\":\"GET\",\"route\":\"%s\",\"status\":%.0f,\"entry\":true,\"incomplete\":%s," \
			"\"aborted\":%s,\"after_us\":%.0f,\"parts\":[%s]}\n", id, start + 1700000000000000, wall,
			hit && route != "" ? route : "GET " path, hit && status ? status : 200,
			hit && incomplete ? "true" : "false", hit && aborted ? "true" : "false",
			hit ? after : 0, parts > answer
	}
	BEGIN {
		server = dir "/server"; client = dir "/client"; answer = dir "/answer"
		callee = dir "/callee"
		print "{\"schema\":\"oracle.truth/1\",\"mode\":\"threads\"," \
			"\"realtime_minus_monotonic_ns\":\"1700000000000000000\"}" > server
		print "{\"schema\":\"oracle.truth/1\",\"mode\":\"store\"," \
			"\"realtime_minus_monotonic_ns\":\"1700000000000000000\"}" > callee
		print "{\"schema\":\"oracle.client/1\"}" > client
		print "{\"schema\":\"tardy.report/1.0\",\"start_unix_us\":\"1\"," \
			"\"window_us\":1}" > answer
		for (i = 0; i < n; i++) {
			request("spin", "cpu", "/c/spin", i)
			request("sleep", "sleep", "/c/sleep", i)
			request("futex", "sleep", "/c/futex", i)
			request("mutex", "lock", "/c/mutex", i)
			request("pipe", "ipc", "/c/pipe", i)
			request("disk", "disk", "/c/disk", i)
			request("fault", "fault", "/c/fault", i)
			request("upstream", "upstream", "/c/upstream", i)
			request("reader", "send", "/c/reader", i)
			request("body", "recv", "/c/body", i)
			request("backlog", "queue", "/c/none", i)
		}
	}'
}

# expect STATUS NAME [KNOB=VALUE...]
expect()
{
	local want=$1 name=$2 status

	shift 2
	fabricate "$@"
	# shellcheck disable=SC2086 # options are words
	"$compare" $options "$dir/server" "$dir/client" "$dir/answer" --mode threads >"$dir/out" 2>&1
	status=$?
	verdict "$want" "$status" "$name"
}

verdict()
{
	tests=$((tests + 1))
	if [ "$1" = "$2" ]; then
		echo "ok - $3"
	else
		echo "FAIL - $3: exit $2, expected $1"
		sed 's/^/	/' "$dir/out"
		failed=$((failed + 1))
	fi
}

[ -x "$compare" ] || { echo "no $compare: make oracle-bins"; exit 2; }

expect 0 "agreement"
if ! grep -q '^oracle: 11 causes, worst error 0.00 %, residue max 0 us$' "$dir/out"; then
	verdict "the closing line" "$(tail -n 1 "$dir/out")" "closing line"
fi
expect 0 "40 us off everywhere is within the floor" error=40
expect 0 "a residue of 1 us" residue=1
expect 0 "one of 30 far off" group=sleep every=30 error=3000
expect 1 "one of 12 far off" n=12 group=sleep every=12 error=3000
expect 0 "a callee's own parts count as upstream" group=upstream instead=sleep hop=oracle
expect 1 "a callee's unknown stays unknown" group=upstream instead=unknown hop=oracle
expect 1 "a hop where the thread itself slept" group=sleep hop=oracle
for group in spin sleep futex mutex pipe disk fault upstream reader body backlog; do
	expect 1 "$group is 300 us too long" group=$group error=300
	expect 1 "$group is 300 us too short" group=$group error=-300
	expect 1 "3 of 30 $group far off" group=$group every=10 error=2000
done
for group in sleep futex mutex pipe disk fault upstream reader body backlog; do
	expect 1 "$group is called other" group=$group instead=other
done
expect 1 "500 us of sleep is called other" group=sleep leak=500
expect 1 "300 us of runq are called cpu" group=sleep swap=300
# where nothing says when the wait ended, cpu and runq are judged at p75 each
expect 0 "300 us of runq are called cpu in 6 of 30" group=sleep every=5 swap=300
expect 1 "300 us of runq are called cpu in 10 of 30" group=sleep every=3 swap=300
# the arrival is known to 55 us and schedstat to 40 us here, beside the floor of 50 us
expect 1 "all cpu is called runq" group=sleep swap=-130
options=--sleep-sum
expect 0 "together: agreement"
expect 0 "together: all cpu of a sleep is called runq" group=sleep swap=-130
expect 1 "together: all cpu of another is called runq" group=pipe swap=-130
expect 1 "together: a sleep is 300 us too long" group=sleep error=300
expect 1 "together: 300 us of its cpu are called other" group=sleep leak=300
options=
options="--callee $dir/callee"
expect 0 "callee: agreement"
if ! grep -q '^calls: 30 of 30 joined, 0 falsely$' "$dir/out"; then
	verdict 30 "$(grep ^calls "$dir/out")" "callee: all are joined"
fi
expect 1 "callee: one is nobody's" group=upstream every=30 parent=null
expect 1 "callee: one is another request's" group=upstream every=30 parent='"1"'
expect 1 "callee: one is of a request that is not there" group=upstream every=30 parent='"77"'
expect 1 "callee: one is an entry request" group=upstream every=30 entry=1
expect 1 "callee: one is missed" group=upstream every=30 lack=1
expect 1 "callee: one has a name" group=upstream every=30 named="GET /store"
options=
expect 1 "unknown is 100 of 6000 us" group=sleep unknown=100
expect 1 "a residue of 2 us" residue=2
expect 1 "a residue of 2 us in one request" group=disk every=30 residue=2
expect 1 "a residue of -2 us in one request" group=disk every=30 residue=-2
expect 1 "a request is missed" group=disk every=30 miss=1
expect 1 "a request is invented" group=disk every=30 invent=1
expect 1 "the clock starts at the read" group=backlog late=5000
expect 1 "another route" group=pipe every=30 route="GET /other"
expect 1 "another status" group=pipe every=30 status=500
expect 1 "a request is incomplete" group=pipe every=30 incomplete=1
expect 1 "a request is aborted" group=pipe every=30 aborted=1
expect 1 "no holder is named" group=mutex holder=none
expect 1 "the wrong holder is named" group=mutex holder="GET /c/*"
expect 1 "a holder where none was" group=pipe every=30 holder="GET /hold/*"

fabricate
head -n 1 "$dir/answer" >"$dir/none"
"$compare" "$dir/server" "$dir/client" "$dir/none" >"$dir/out" 2>&1
verdict 1 $? "no request at all"
: >"$dir/none"
"$compare" "$dir/server" "$dir/client" "$dir/none" >"$dir/out" 2>&1
verdict 2 $? "an empty answer"
sed '5s/}$//' "$dir/answer" >"$dir/broken"
"$compare" "$dir/server" "$dir/client" "$dir/broken" >"$dir/out" 2>&1
verdict 2 $? "an answer that is not JSON"
"$compare" "$dir/server" "$dir/client" "$dir/answer" --mode loop >"$dir/out" 2>&1
verdict 2 $? "the truth of another mode"
sed '/"spin"/d' "$dir/client" >"$dir/short"
"$compare" "$dir/server" "$dir/short" "$dir/answer" >"$dir/out" 2>&1
verdict 2 $? "a client that knows less than the server"
sed 's/"cause":"sleep","arg":1,"span":\[[0-9]*/"cause":"sleep","arg":1,"span":[0/' \
	"$dir/server" >"$dir/idle"
"$compare" "$dir/idle" "$dir/client" "$dir/answer" >"$dir/out" 2>&1
verdict 1 $? "a cause that was never injected"

# as if each of a group followed the one before that asked for something else: 200 us after its end the
# thread waits, for which it runs 35 and is held up for 20; so 255 are what it did after its answer
near() {
	fabricate "$@"
	awk -F'"end_ns":' '{
		split($2, v, ","); end = v[1]
		if (/c.futex/ && last)
			sub(/"prev_end_ns":0,"read_call_ns":[0-9]*/, sprintf("\"prev_end_ns\":%.0f," \
				"\"read_call_ns\":%.0f", last, last + 200000))
		sub(/"read":\[1050000,35000,20000,0\]/, "\"read\":[1050000,35000,20000,0,1]")
		print
		last = NR > 1 ? end : 0
	}' "$dir/server" >"$dir/follows"
	"$compare" "$dir/follows" "$dir/client" "$dir/answer" >"$dir/out" 2>&1
}
near group=sleep after=250
verdict 0 $? "the thread worked after its answer until it waited"
near group=sleep after=400
verdict 1 $? "it worked after its answer while it waited"
near group=futex after=400
verdict 0 $? "for how long it worked is not known"
# as if the turn before had ended within the client's send: then queue may have been a part, 8 us at most
fabricate
sed '/c.sleep/s/"prev_end_ns":0,\(.*"read_done_ns":\)\([0-9]*\)/"prev_end_ns":\2,\1\2/' "$dir/server" |
	awk -F'"prev_end_ns":' '/c.sleep/ { sub("^[0-9]*", sprintf("%.0f", $2 - 47000), $2); print $1 FS $2; next } 1' \
	>"$dir/near"
sed 's/"group":"sleep"/"group":"mix"/' "$dir/client" >"$dir/mixed"
"$compare" "$dir/near" "$dir/mixed" "$dir/answer" >"$dir/out" 2>&1
verdict 0 $? "a mix that may have waited a little for what it did not ask for"

echo "compare_test: $tests tests, $failed failed"
[ "$failed" = 0 ]
