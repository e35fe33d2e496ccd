# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the guest's scripts share: tardy beside real servers, on this machine's kernel.

scene_doctor() {
	/build/tardy doctor >/out/doctor 2>&1
	is "doctor: exit status" $? 0
	like "doctor: tier tp" /out/doctor '^ok +tier tp'
	is "doctor: nothing is off" "$(grep -cv '^ok ' /out/doctor)" 0
	# the programs for kernels that refuse iterators over maps
	/build/tardy record -q -p 1 --duration 200ms --sweep-sockets -o /out/sockets
	is "it measures by sockets and files, too" $? 0
	say "# $(sed -n 's/^ok *kernel *//p; s/^ok *tier tp *//p' /out/doctor | paste -sd';')"
}

# scene_oracle NAME ARGS...: the oracle with these arguments; what it printed is in /out/oracle.NAME
scene_oracle() {
	local name=$1 rc
	shift
	TARDY_ORACLE_SETTLE=2 TARDY_BUILD=/build bash /oracle.sh "$@" >"/out/oracle.$name" 2>&1
	rc=$?
	say "# $(tail -n 1 "/out/oracle.$name")"
	return $rc
}

# nginx_up DIR SERVER-LINES...: $! is its master
nginx_up() {
	local dir=$1
	shift
	mkdir -p "$dir"
	echo hello >"$dir/index.html"
	cat >"$dir/conf" <<-CONF
		daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log; user root;
		events { worker_connections 64; }
		http {
			access_log $dir/access.log; keepalive_requests 100000;
			client_body_temp_path $dir/1; proxy_temp_path $dir/2; fastcgi_temp_path $dir/3;
			uwsgi_temp_path $dir/4; scgi_temp_path $dir/5;
			$*
		}
	CONF
	nginx -e "$dir/error.log" -p "$dir" -c "$dir/conf" 2>>"$dir/error.log" &
}
listens() { (exec 4<>"/dev/tcp/$1/$2") 2>/dev/null; }
# get PATH: a request of its own connection to the front server
get() {
	exec 5<>/dev/tcp/127.0.0.1/8080
	printf 'GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$1" >&5
	cat <&5 >/tmp/answer
	exec 5>&- 5<&-
	grep -q '^HTTP/1.1 200' /tmp/answer || not_ok "GET $1" "$(cat /tmp/answer /tmp/front/error.log)"
}

# A server of its own network namespace, 4 ms away, that only the front server talks to.
far_up() {
	load veth sch_netem
	ip netns add far
	ip link add near type veth peer name far
	ip link set far netns far
	ip addr add 198.18.0.1/30 dev near
	ip link set near up
	ip -n far addr add 198.18.0.2/30 dev far
	ip -n far link set far up
	ip -n far link set lo up
	ip netns exec far tc qdisc add dev far root netem delay 4ms
}
far_server() {
	nginx_up /tmp/far 'server { listen 198.18.0.2:8082; root /tmp/far; }'
	wait
}

# scene_http: the front server answers itself, asks one of the same host, and one that is far away
scene_http() {
	local i front back tcprtt
	far_up
	export -f nginx_up far_server
	ip netns exec far bash -c far_server &
	nginx_up /tmp/back 'server { listen 127.0.0.1:8081; root /tmp/back; }'
	back=$!
	nginx_up /tmp/front 'upstream far { server 198.18.0.2:8082; keepalive 1; }
		server { listen 127.0.0.1:8080; root /tmp/front;
			proxy_http_version 1.1; proxy_set_header Connection "";
			location /near/ { proxy_pass http://127.0.0.1:8081/; }
			location /far/ { proxy_pass http://far/; } }'
	front=$!
	for i in "127.0.0.1 8080" "127.0.0.1 8081" "198.18.0.2 8082"; do
		# shellcheck disable=SC2086
		wait_until 20 listens $i || not_ok "a server listens at $i" "$(cat /tmp/*/error.log)"
	done
	/build/tardy record -p "$front,$back" -o /out/http.data 2>/tmp/record.log &
	record=$!
	wait_until 20 grep -q 'recording to' /tmp/record.log || not_ok "tardy records" "$(cat /tmp/record.log)"
	for i in 1 2 3 4 5; do
		get /index.html
		get /near/index.html
	done
	tcprtt -P 8082 -e >/out/tcprtt 2>/out/tcprtt.err &
	tcprtt=$!
	sleep 3
	for i in {1..30}; do get /far/index.html; done
	sleep 0.5
	kill -INT $tcprtt $record
	wait $tcprtt
	is "tcprtt: exit status" $? 0
	wait $record
	is "record: exit status" $? 0
	/build/tardy report -i /out/http.data requests health -F json >/out/http.json 2>/out/report.err
	is "report: exit status" $? 0
}

# limits_are ABOVE BELOW: reads of the loop device in the two groups of scene_limit, or max
limits_are() {
	echo "$limit_dev rbps=$1" >/sys/fs/cgroup/above/io.max
	echo "$limit_dev rbps=$2" >/sys/fs/cgroup/above/below/io.max
}
# limit_told NAME REGEX: what three requests have waited for
limit_told() {
	local i record
	/build/tardy record -p "$limited" -o /out/limit.data 2>/tmp/record.log &
	record=$!
	wait_until 20 grep -q 'recording to' /tmp/record.log || not_ok "tardy records" "$(cat /tmp/record.log)"
	for i in 1 2 3; do get /data; done
	sleep 0.5
	kill -INT $record
	wait $record
	is "$1: record: exit status" $? 0
	/build/tardy report -i /out/limit.data hotspots -F json >/out/limit.json
	like "$1: what was held is told by its limit" /out/limit.json "$2"
	rm /out/limit.data
}

# scene_limit: a server reads a file past the page cache behind the limit of a group above its own, of its
# own, and of both
scene_limit() {
	local disk
	mkdir -p /tmp/front /tmp/limit
	truncate -s 32M /tmp/image
	mkfs.ext4 -q -F /tmp/image
	disk=$(losetup -f --show /tmp/image)
	mount "$disk" /tmp/limit
	limit_dev=$(cat "/sys/block/${disk#/dev/}/dev")
	mkdir -p /sys/fs/cgroup/above
	echo +io >/sys/fs/cgroup/above/cgroup.subtree_control
	mkdir /sys/fs/cgroup/above/below
	echo $$ >/sys/fs/cgroup/above/below/cgroup.procs
	nginx_up /tmp/limit 'server { listen 127.0.0.1:8080; root /tmp/limit; directio 512;
		output_buffers 1 64k; }'
	limited=$!
	echo $$ >/sys/fs/cgroup/cgroup.procs
	busybox dd if=/dev/urandom of=/tmp/limit/data bs=64k count=4 2>/dev/null
	sync
	wait_until 20 listens 127.0.0.1 8080 || not_ok "a server listens" "$(cat /tmp/limit/error.log)"
	limits_are 1000000 max
	limit_told "above" '"what":"loop0 read held by limit 1 MB/s of above: '
	limits_are max 2000000
	limit_told "its own" '"what":"loop0 read held by limit 2 MB/s of below: '
	limits_are 1000000 2000000
	limit_told "both" '"what":"loop0 read held: '
	kill "$limited"
	wait "$limited"
	umount /tmp/limit
	losetup -d "$disk"
}
