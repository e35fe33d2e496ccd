#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What unseen.sh needs.

    unseen.py server PORT LOG      one thread; /sleep sleeps and /spin computes for 20 ms; LOG gets
                                   path, wall and time on a CPU of each, in microseconds
    unseen.py client PORT N        N requests /sleep and /spin in turn on one connection, pauses between
    unseen.py check REPORT LOG     compares
"""
import socket
import sys
import time

import facts

LONG_S = 0.020
SLACK_US = 300  # how far apart two clocks may be


def run_delay_ns():
    with open("/proc/self/schedstat") as f:
        return int(f.read().split()[1])


def clocks():
    """Nanoseconds at one moment: CLOCK_MONOTONIC, in run queues so far, CPU time so far. Taken again
    when the thread was preempted between them."""
    while True:
        delay = run_delay_ns()
        now = time.monotonic_ns(), delay, time.thread_time_ns()
        if run_delay_ns() == delay:
            return now


def work(path):
    """Does it; returns nanoseconds: wall, and on a CPU."""
    before = clocks()
    if path == "/sleep":
        time.sleep(LONG_S)
    until = time.thread_time() + (LONG_S if path == "/spin" else 0)
    while time.thread_time() < until:
        pass
    wall, delay, cpu = (after - b for after, b in zip(clocks(), before))
    # its CPU clock stands still where a hypervisor takes the CPU away: not so tardy's
    return wall, cpu if path == "/sleep" else wall - delay


def server(port, log):
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while conn := listener.accept()[0]:
            serve(conn, log)


def serve(conn, log):
    with conn, open(log, "a") as f:
        while head := conn.recv(4096):
            path = head.split()[1].decode()
            wall, on_cpu = work(path)
            f.write("%s %d %d\n" % (path, wall // 1000, on_cpu // 1000))
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def client(port, n):
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as s:
        for i in range(2 * int(n)):
            s.sendall(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"spin" if i % 2 else b"sleep"))
            s.recv(4096)
            time.sleep(0.015)


def check(report, log):
    rows = facts.load(report)
    requests = sorted(facts.kind(rows, "request"), key=facts.start_s)
    truths = [line.split() for line in open(log)]
    routes = [("GET " + path) for path, _, _ in truths]
    facts.ok([r["route"] for r in requests] == routes and truths, "every request is found",
             len(requests), len(truths))
    unseen = facts.kind(rows, "health")[0]["lost_by_kind"].get("switch_lost", 0)
    facts.ok(unseen >= len(truths) / 4, "switches were not seen", unseen)
    wrong, hidden, slept_more = [], 0, []
    # the first began before any switch of the thread was seen: there is nothing to compare with
    for r, (path, wall, cpu) in list(zip(requests, truths))[1:]:
        own, slept = facts.own_us(r, "cpu"), facts.own_us(r, "sleep", "other")
        # the server's clocks do not have the read before them and the send after them
        outside = r["wall_us"] - int(wall)
        if not -SLACK_US <= own - int(cpu) <= SLACK_US + outside:
            wrong.append((path, wall, cpu, r["wall_us"], r["parts"]))
        hidden += facts.own_us(r, "other") > 10000
        if path == "/sleep" and slept < LONG_S * 1e6 - SLACK_US or \
                path == "/spin" and slept > SLACK_US:
            slept_more.append((path, slept, r["parts"]))
    facts.ok(not wrong, "cpu is what the scheduler says, seen or not", len(wrong), *wrong[:3])
    facts.ok(not slept_more, "a wait is a wait, seen or not", len(slept_more), *slept_more[:3])
    facts.ok(hidden, "some waits were not seen, and are other", hidden)
    # the pause after an answer is nobody's, whether its switches were seen or not
    late = [facts.brief(r) for r, t in zip(requests, truths)
            if r["wall_us"] - int(t[1]) - facts.own_us(r, "runq", "queue") > 2000]
    facts.ok(not late, "no request has the pause before it", *late[:3])


if __name__ == "__main__":
    {"server": server, "client": client, "check": check}[sys.argv[1]](*sys.argv[2:])
