#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What backlog.sh needs.

    backlog.py server tcp|unix|kept ADDRESS LOG  one thread, one request at a time, WORK_S each. tcp and
                       unix accept the next connection when one is answered; kept has accepted all VISITORS
                       before it reads of the first. LOG gets path and times (CLOCK_REALTIME, microseconds): it
                       could be read, it was read, it was to be answered, it was answered. The first is
                       answered when LOG.go exists
    backlog.py client ADDRESS LOG NAME  so many visitors at once; LOG gets one line when all have asked
    backlog.py check NAME REPORT LOG FROM TO  FROM..TO: when the recording began, in microseconds
    backlog.py open SERVICE REPORT N          those that nobody has read when the recording ended
"""
import os
import socket
import sys
import time

import facts

VISITORS, WORK_S = 6, 0.15
NEAR_US = 2000    # of two clocks, and of the work beside a wait


def now_us():
    return time.time_ns() // 1000


def family_of(address):
    return socket.AF_UNIX if "/" in address else socket.AF_INET


def place_of(address):
    return address if "/" in address else ("127.0.0.1", int(address))


def serve(conn, log, first):
    with conn:
        could_us = now_us()
        head = conn.recv(4096)
        read_us = now_us()
        while first and not os.path.exists(log + ".go"):
            time.sleep(0.01)
        time.sleep(WORK_S)
        work_us = now_us()
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        with open(log, "a") as f:
            f.write("%s %d %d %d %d\n" % (head.split()[1].decode(), could_us, read_us, work_us,
                                          now_us()))


def server(how, address, log):
    listener = socket.create_server(place_of(address), family=family_of(address), backlog=64)
    kept = []
    for i in range(VISITORS):
        conn = listener.accept()[0]
        if how == "kept":
            kept.append(conn)
        else:
            serve(conn, log, i == 0)
    for i, conn in enumerate(kept):
        serve(conn, log, i == 0)
    time.sleep(60)


def client(address, log, name):
    asked = []
    for i in range(VISITORS):
        s = socket.socket(family_of(address))
        s.settimeout(30)
        s.connect(place_of(address))
        s.sendall(b"GET /%s-%s HTTP/1.1\r\nHost: x\r\n\r\n" % (name.encode(), b"abcdefgh"[i:i + 1]))
        asked.append(s)
    with open(log, "w") as f:
        f.write("asked\n")
    for s in asked:
        s.recv(4096)
        s.close()


def check(name, report, log, since, until):
    rows = facts.load(report)
    requests = [r for r in facts.kind(rows, "request") if not r["open"]]
    truths = {"GET " + path: tuple(map(int, times)) for path, *times in map(str.split, open(log))}
    # the first had been read before
    late = sorted(truths.items(), key=lambda t: t[1])[1:]
    found = {r["route"]: r for r in requests}
    facts.ok(len(late) == VISITORS - 1 and len(requests) <= VISITORS and
             all(route in found for route, _ in late),
             "%s: what nobody had read when tardy came is found, nothing else" % name,
             truths, *map(facts.brief, requests))
    pairs = [(found[route], times) for route, times in late if route in found]
    facts.ok(pairs and all(r["before"] and not r["incomplete"] for r, _ in pairs),
             "%s: and is marked: it began before" % name, *[r for r, _ in pairs][:2])
    starts = [int(r["start_unix_us"]) for r, _ in pairs]
    facts.ok(pairs and all(since <= v <= until for v in starts),
             "%s: its time is counted from when tardy came" % name, since, until, starts)
    wrong = [(facts.brief(r), times) for r, times in pairs
             if not times[2] - NEAR_US < facts.end_s(r) * 1e6 < times[3] + NEAR_US]
    facts.ok(pairs and not wrong, "%s: until it is answered" % name, *wrong)
    wrong = []
    for r, (could, read, _, _) in pairs:
        start, queue = int(r["start_unix_us"]), facts.own_us(r, "queue")
        told = queue + facts.own_us(r, "sleep", "runq")
        if not could - start - NEAR_US < queue < read - start + NEAR_US or \
                told < r["wall_us"] - NEAR_US:
            wrong.append((facts.brief(r), r["parts"], read))
    facts.ok(pairs and not wrong, "%s: it was queued until it was read, and slept then" % name, *wrong)


def unread(service, report, count):
    rows = [r for r in facts.kind(facts.load(report), "request") if r["open"]]
    waiting = [r for r in rows if r["route"] == "(not read yet)"]
    facts.ok(len(waiting) == count and all(r["before"] and r["service"] == service and
                                           [p["cause"] for p in r["parts"]] == ["queue"]
                                           for r in waiting),
             "what nobody reads is pending, in the queue of who holds the listener", len(rows), *rows[:3])


if __name__ == "__main__":
    what, *args = sys.argv[1:]
    if what == "check":
        check(*args[:3], *map(int, args[3:]))
    elif what == "open":
        unread(args[0], args[1], int(args[2]))
    else:
        {"server": server, "client": client}[what](*args)
