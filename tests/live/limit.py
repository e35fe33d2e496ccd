#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What limit.sh needs.

    limit.py server PORT FILE PROCS  one thread, in the group whose PROCS it writes itself into. /write and
                                     /read move BYTES of FILE past the page cache, /sync through it; the
                                     answer is how long that took, ns
    limit.py client PORT PATH N LOG  N requests; LOG gets what they took
    limit.py check WHAT NAME REPORT LOG N   NAME: what the held part of the waits is called, as a regular
                                     expression; "" = nothing was held
"""
import mmap
import os
import re
import socket
import sys
import time

import facts

BYTES = 65536


def server(port, path, procs):
    with open(procs, "w") as f:
        f.write(str(os.getpid()))
    page = mmap.mmap(-1, BYTES)
    page.write(b"x" * BYTES)
    direct = os.open(path, os.O_RDWR | os.O_CREAT | os.O_DIRECT, 0o600)
    cached = os.open(path + ".sync", os.O_RDWR | os.O_CREAT, 0o600)
    for fd in (direct, cached):
        os.posix_fallocate(fd, 0, BYTES)

    def work(what):
        if what == b"/write":
            os.pwritev(direct, [page], 0)
        elif what == b"/read":
            os.preadv(direct, [page], 0)
        else:
            os.pwrite(cached, page[:], 0)
            os.fdatasync(cached)

    work(b"/write")     # blocks that were allocated only are read as zeros, from nowhere
    os.fsync(direct)
    work(b"/sync")
    with socket.create_server(("127.0.0.1", int(port))) as listener:
        while conn := listener.accept()[0]:
            with conn:
                while head := conn.recv(4096):
                    began = time.monotonic_ns()
                    work(head.split()[1])
                    body = b"%d" % (time.monotonic_ns() - began)
                    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def client(port, path, n, log):
    took = 0
    with socket.create_connection(("127.0.0.1", int(port)), timeout=30) as s:
        for _ in range(int(n)):
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            took += int(s.recv(4096).split(b"\r\n\r\n")[1])
    with open(log, "w") as f:
        f.write(str(took))


def check(what, name, report, log, n):
    with open(log) as f:
        truth_us = int(f.read()) // 1000
    requests = [r for r in facts.kind(facts.load(report), "request") if r["route"] != "?"]
    facts.ok(len(requests) == int(n), "%s: every request is found" % what, len(requests))
    names = {}
    for r in requests:
        for p in r["parts"]:
            if p["cause"] == "disk":
                names[p["what"]] = names.get(p["what"], 0) + p["us"]
    held = {w: us for w, us in names.items() if " held" in str(w)}
    if not name:
        facts.ok(not [w for w in names if "limit" in str(w)] and sum(held.values()) < truth_us / 10,
                 "%s: nothing was held, by nobody's limit" % what, names, truth_us)
        return
    wrong = [w for w in held if not re.fullmatch(name, w)]
    facts.ok(sum(held.values()) > 0.7 * truth_us > 0, "%s: most of it was held" % what, names, truth_us)
    facts.ok(held and not wrong, "%s: and is told as it should be" % what, names, name)


if __name__ == "__main__":
    {"server": server, "client": client, "check": check}[sys.argv[1]](*sys.argv[2:])
