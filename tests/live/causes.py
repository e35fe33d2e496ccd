#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What causes.sh needs.

    causes.py hog|xz|ticker PORT LOG  computes, or wakes up each millisecond; LOG gets the CPU time used so
                                   far, in microseconds, again and again
    causes.py server PORT LOG      computes for 40 ms of CPU time for each request
    causes.py client PORT N        N requests, one after another
    causes.py check REPORT LOG...  LOG is NAME.NUMBER
All but the client and the check run on the first CPU, by their role's name, for 50 s at most.
"""
import ctypes
import http.server
import os
import sys
import time
import urllib.request

import facts
import web

END = time.time() + 50


def begin(role):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ctypes.CDLL(None).prctl(15, role.encode(), 0, 0, 0)


def tell(path):
    with open(path + ".new", "w") as f:
        f.write("%d\n" % (time.process_time() * 1e6))
    os.rename(path + ".new", path)


def hog(_port, log):
    while time.time() < END:
        until = time.time() + 0.1
        while time.time() < until:
            pass
        tell(log)


xz = hog


def ticker(_port, log):
    while time.time() < END:
        for _ in range(50):
            time.sleep(0.001)
        tell(log)


def compute(_path):
    until = time.thread_time() + 0.04
    while time.thread_time() < until:
        pass


def server(port, _log):
    s = web.server(port, compute, kind=http.server.HTTPServer)
    s.timeout = 1
    while time.time() < END:
        s.handle_request()


def client(port, n):
    for _ in range(int(n)):
        urllib.request.urlopen("http://127.0.0.1:%s/" % port).read()


def check(report, *logs):
    behind, used = {}, {"hog": 0, "ticker": 0, "xz": 0}
    for r in facts.kind(facts.load(report), "request"):
        for p in r["parts"]:
            if p["cause"] == "runq":
                behind[p["what"]] = behind.get(p["what"], 0) + p["us"]
    for log in logs:
        used[os.path.basename(log).split(".")[0]] += int(open(log).read()) + 100000
    by = {name: behind.get("behind " + name, 0) for name in used}
    told = behind, used
    facts.ok(by["hog"] > 100000, "waits were behind the hog", *told)
    facts.ok(by["xz"] > 1.5 * by["hog"], "more behind the others, who are more", *told)
    for name in used:
        facts.ok(by[name] <= used[name], "behind %s: not longer than it ran" % name, *told)
    facts.ok(by["ticker"] < by["hog"] / 2, "little behind the ticker", *told)
    rows = [h for h in facts.kind(facts.load(report), "hotspot")
            if h["cause"] == "runq" and h["who"] == "causes.py"]
    facts.ok(len(rows) == 1 and rows[0]["occupied_by"][0]["route"] == "behind xz" and
             sum(c["wait_s_per_s"] for c in rows[0]["occupied_by"]) <= rows[0]["wait_s_per_s"] * 1.001,
             "one hotspot tells whom they are behind", *rows)
    facts.ok(behind.get(None, 0) < sum(behind.values()) / 10, "nine tenths of the waits have a name", *told)


if __name__ == "__main__":
    if sys.argv[1] in ("hog", "xz", "ticker", "server"):
        begin(sys.argv[1])
    globals()[sys.argv[1]](*sys.argv[2:])
