# SPDX-License-Identifier: GPL-2.0-only
"""Checks of slots.sh.

slots_check.py haproxy REPORT PROXY PORT LOG      the proxy logs how long each request was queued
slots_check.py pgbouncer REPORT PROXY PORT LOG    the visitor logs how long each statement took
"""
import sys

from facts import kind, load, ok


def us(r, *causes):
    return sum(p["us"] for p in r["parts"] if p["cause"] in causes)


def parts(r):
    return r["route"], {"%s %s %s" % (p["who"], p["cause"], p["what"] or ""): p["us"] for p in r["parts"]}


def pooled(r, port):
    return sum(p["us"] for p in r["parts"]
               if p["cause"] == "queue" and p["what"] == "pool of 127.0.0.1:" + port)


def served(path, proxy):
    return [r for r in kind(load(path), "request") if r["pid"] == int(proxy)]


def told(rows, port, name):
    """Most of them waited for the connection, and what waited is not the loop's."""
    waited = [r for r in rows if pooled(r, port) > 20000]
    ok(len(waited) >= len(rows) / 2, "%s: requests waited for a connection (%d of %d)" %
       (name, len(waited), len(rows)), *map(parts, rows[len(rows) // 2:][:3]))
    loop, wall = sum(us(r, "loop") for r in rows), sum(r["wall_us"] for r in rows)
    ok(loop < wall / 20, "%s: ... and not for the loop" % name, loop, wall)


def haproxy(path, proxy, port, log):
    with open(log) as f:
        queued = {w[0]: int(w[1]) * 1000 for w in map(str.split, f) if len(w) == 2}
    rows = served(path, proxy)
    ok({r["route"] for r in rows} == {"GET " + p for p in queued} and len(rows) > 30,
       "haproxy: each request was found, and no other", len(rows), len(queued))
    told(rows, port, "haproxy")
    wrong = []
    for r in rows:
        said, unknown = queued[r["route"].split(" ")[-1]], us(r, "unknown", "loop", "runq", "cpu")
        if not said - unknown - 3000 < pooled(r, port) < said + 3000:
            wrong.append((said, parts(r)))
    ok(not wrong, "haproxy: as long as its own log says", len(wrong), *wrong[:3])


def pgbouncer(path, proxy, port, log):
    with open(log) as f:
        took = [int(line.split()[2]) for line in f]
    rows = [r for r in served(path, proxy) if "pg_sleep" in r["route"]]
    ok(len(rows) == len(took) > 50, "pgbouncer: each statement was found, and no other", len(rows),
       len(took))
    told(rows, port, "pgbouncer")
    wrong = [parts(r) for r in rows if pooled(r, port) > r["wall_us"] - 28000]
    ok(not wrong, "pgbouncer: no longer than until the statement was sent", *wrong[:3])
    most = sum(took) - 30000 * len(took)
    got = sum(pooled(r, port) + us(r, "unknown", "loop", "runq", "cpu") for r in rows)
    ok(0.8 * most < got, "pgbouncer: as long as the visitors say", got, most)


if __name__ == "__main__":
    {"haproxy": haproxy, "pgbouncer": pgbouncer}[sys.argv[1]](*sys.argv[2:])
