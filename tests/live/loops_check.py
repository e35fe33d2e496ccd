# SPDX-License-Identifier: GPL-2.0-only
"""Whose time a request of an event loop's was: loops_check.py REPORT CPU_SECONDS."""
import sys

from facts import kind, load, ok

requests = kind(load(sys.argv[1]), "request")
with open(sys.argv[2]) as f:
    cpu_us = float(f.read()) * 1e6


def of(route):
    return [r for r in requests if r["route"] == "GET " + route]


def us(r, cause):
    return sum(p["us"] for p in r["parts"] if p["cause"] == cause)


def parts(r):
    return {"%s %s" % (p["cause"], p["what"] or ""): p["us"] for p in r["parts"]}


for route, n in (("/timer", 10), ("/work", 10), ("/spin", 10), ("/behind", 5), ("/busy-meanwhile", 5)):
    ok(len(of(route)) == n, "%s: all %d are there" % (route, n), len(of(route)))
bad = [parts(r) for r in of("/timer") if us(r, "sleep") < 270000]
ok(len(bad) < 3, "what waits for the loop's timer sleeps", *bad)
bad = [p for p in bad if p.get("unknown the event loop was idle", 0) < 270000]
ok(not bad, "... or is not known: the loop was with others when it was due", *bad)
bad = [parts(r) for r in of("/work") if us(r, "unknown") + us(r, "sleep") < 270000]
ok(not bad, "who waits for another thread's result has what that did, sleep, or is not known", *bad)
ok(len([r for r in of("/work") if us(r, "sleep") > 270000]) >= 3, "... of some it is known",
   *map(parts, of("/work")))
bad = [parts(r) for r in of("/spin") if us(r, "cpu") + us(r, "runq") < 90000]
ok(not bad, "what keeps the loop busy runs", *bad)
bad = [parts(r) for r in of("/behind") if us(r, "loop") < 40000]
ok(not bad, "what comes meanwhile waits for the loop", *bad)
bad = [parts(r) for r in of("/busy-meanwhile") if us(r, "sleep") < 285000 or us(r, "loop") > 10000]
ok(len(bad) < 2, "what the loop ran while a timer was not due keeps nobody waiting", *bad)
loop = sum(us(r, "loop") for r in requests)
ok(loop <= 3 * cpu_us, "no more waits for the loop than it ran, for each of three that waited",
   "loop %d us, cpu %d us" % (loop, cpu_us))
