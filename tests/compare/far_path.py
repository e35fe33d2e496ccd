# SPDX-License-Identifier: GPL-2.0-only
"""far_path.py NEAR FAR DELAY_US EVERY LOG: two TUN devices with a slow path between them.

Each packet arrives DELAY_US later, and up to JITTER times that. Of the packets with much data, each
EVERY-th is lost, but never one for the second time. TCP is between the two ends, this only carries
packets. At its end LOG has, as JSON, what it lost by the ports of the connection.
"""
import collections
import fcntl
import json
import os
import select
import signal
import struct
import sys
import time

near, far, delay_us, every, log = sys.argv[1:]
delay, every = int(delay_us) / 1e6, int(every)
JITTER, MUCH, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0.25, 1000, 0x400454CA, 1, 0x1000


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


ends = [tun(near), tun(far)]
print("ready", flush=True)
seen, lost, count, packets = set(), collections.Counter(), 0, 0
queues = [collections.deque(), collections.deque()]    # (due, packet) on the way to each end


def is_lost(p):
    global count
    head = (p[0] & 15) * 4
    if p[0] >> 4 != 4 or p[9] != 6:
        return False
    source, to, sequence = struct.unpack_from("!HHI", p, head)
    if struct.unpack_from("!H", p, 2)[0] - head - (p[head + 12] >> 4) * 4 < MUCH:
        return False
    key = (source, to, sequence)
    if key in seen:
        return False
    seen.add(key)
    count += 1
    if count % every:
        return False
    lost["%d %d" % (source, to)] += 1
    return True


def end(*_):
    with open(log, "w") as f:
        json.dump(lost, f)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    now = time.monotonic()
    for fd, q in zip(ends, queues):
        while q and q[0][0] <= now:
            try:
                os.write(fd, q.popleft()[1])
            except OSError:    # its device is not up
                pass
    due = min((q[0][0] for q in queues if q), default=now + 1)
    for fd in select.select(ends, [], [], max(0, due - time.monotonic()))[0]:
        q = queues[1 - ends.index(fd)]
        while True:
            try:
                p = os.read(fd, 65536)
            except OSError:
                break
            if not is_lost(p):
                packets += 1
                at = time.monotonic() + delay * (1 + JITTER * (packets % 8) / 7)
                q.append((max(at, q[-1][0]) if q else at, p))    # none overtakes another
