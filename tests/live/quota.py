#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What quota.sh needs.

    quota.py server PORT DIR PROCS  one thread, in the group whose PROCS it writes itself into; each request
                                    computes for WORK_S. /stat answers how long DIR's group was held back, ns
    quota.py client PORT N LOG      asks /stat, N requests, /stat; LOG gets what the group was held back
    quota.py check WHAT GROUP REPORT LOG N   GROUP "" = nobody's name
"""
import os
import re
import socket
import sys
import time

import facts

WORK_S = 0.012
SLACK_US = 2000    # a period that began before, or ends after


def held_ns(folder):
    with open(folder + "/cpu.stat") as f:
        stat = dict(line.split() for line in f)
    return int(stat["throttled_time"]) if "throttled_time" in stat else \
        int(stat["throttled_usec"]) * 1000


def server(port, folder, procs):
    with open(procs, "w") as f:
        f.write(str(os.getpid()))
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while conn := listener.accept()[0]:
            with conn:
                while head := conn.recv(4096):
                    body = b"ok"
                    if head.startswith(b"GET /stat "):
                        body = b"%d" % held_ns(folder)
                    else:
                        until = time.thread_time() + WORK_S
                        while time.thread_time() < until:
                            pass
                    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def client(port, n, log):
    def ask(path):
        s.sendall(b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        return s.recv(4096).split(b"\r\n\r\n")[1]

    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as s:
        before = int(ask(b"stat"))
        for _ in range(int(n)):
            ask(b"work")
        held = int(ask(b"stat")) - before
    with open(log, "w") as f:
        f.write(str(held))


def check(what, group, report, log, n):
    with open(log) as f:
        truth_us = int(f.read()) // 1000
    requests = [r for r in facts.kind(facts.load(report), "request") if r["route"] == "GET /work"]
    facts.ok(len(requests) == int(n), "%s: every request is found" % what, len(requests))
    told_us = sum(facts.own_us(r, "throttle") for r in requests)
    facts.ok(truth_us > 100000 and abs(told_us - truth_us) < truth_us / 10 + 2 * SLACK_US,
             "%s: throttle is what the kernel says that the group was held back" % what, told_us, truth_us)
    names = {}
    for r in requests:
        for p in r["parts"]:
            if p["cause"] == "throttle":
                names[p["what"]] = names.get(p["what"], 0) + p["us"]
    wanted = re.escape("quota 0.25 CPU of " + group) if group else "None"
    named = sum(us for name, us in names.items() if re.fullmatch(wanted, str(name)))
    facts.ok(named >= 0.95 * told_us > 0, "%s: and names the quota" % what, names)


if __name__ == "__main__":
    {"server": server, "client": client, "check": check}[sys.argv[1]](*sys.argv[2:])
