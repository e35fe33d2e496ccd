#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What loss.sh needs: a server, clients that log what they did, and the comparison.

    loss.py server PORT                   a thread for each connection; /long sleeps for 3 s
    loss.py client PORT NAME N PAUSE LOG  N requests /NAME, each on a connection of its own
    loss.py stall REPORT LOG STOPPED CONTINUED NAMES...
    loss.py storage REPORT LOG
"""
import json
import os
import socket
import sys
import time

import web


def server(port, *ignored):
    web.server(port, lambda path: time.sleep(3 if path == "/long" else 0)).serve_forever()


def client(port, name, n, pause, log):
    for _ in range(int(n)):
        start = time.time()
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as s:
            s.sendall(b"GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % name.encode())
            while s.recv(4096):
                pass
        with open(log, "a") as f:
            f.write("%s %.6f %.6f\n" % (name, start, time.time()))
        time.sleep(float(pause))


def say(ok, name, *details):
    print("ok" if ok else "not ok", name)
    for d in details:
        print("  %s" % (d,))


class Facts:
    """A report and a client's log, in seconds of Unix time."""

    def __init__(self, report, log):
        rows = [json.loads(line) for line in open(report)]
        self.health = next(r for r in rows if r.get("kind") == "health")
        self.requests = [r for r in rows if r.get("kind") == "request"]
        for r in self.requests:
            r["from"] = int(r["start_unix_us"]) / 1e6
            r["to"] = r["from"] + r["wall_us"] / 1e6
        self.lost = [
            dict(i, **{"from": int(i["from_unix_us"]) / 1e6, "to": int(i["to_unix_us"]) / 1e6})
            for i in self.health["lost_intervals"] if i["loses"]
        ]
        self.log = [(n, float(a), float(b)) for n, a, b in (line.split() for line in open(log))]

    def found(self, name, start, end):
        return next((r for r in self.requests if r["route"] == "GET /" + name and
                     start - 0.001 <= r["from"] <= end), None)

    def overlapping(self, start, end):
        return [i for i in self.lost if i["from"] <= end and i["to"] >= start]

    def consistent(self):
        """What every report with losses has to say."""
        counted = sum(i["count"] for i in self.lost)
        say(self.health["lost"] > 0, "records were lost: %d" % self.health["lost"])
        say(self.health["lost_intervals_dropped"] > 0 or counted == self.health["lost"],
            "each of them is placed", "%d in intervals, %d in all" % (counted, self.health["lost"]))
        say(all(0 <= i["cpu"] < os.cpu_count() for i in self.health["lost_intervals"]),
            "each has its CPU", self.health["lost_intervals"])
        # a microsecond for the rounding of both
        bad = [r for r in self.requests
               if r["incomplete"] != bool(self.overlapping(r["from"], r["to"])) and
               bool(self.overlapping(r["from"] - 2e-6, r["to"] + 2e-6)) ==
               bool(self.overlapping(r["from"] + 2e-6, r["to"] - 2e-6))]
        say(not bad, "incomplete are those that overlap a loss, and no others", *bad[:3])


def stall(report, log, stopped, continued, *names):
    f = Facts(report, log)
    stopped, continued = float(stopped), float(continued)
    f.consistent()
    kinds = f.health["lost_by_kind"]
    say(kinds.get("ring_full_exchange", 0) > 0, "exchanges did not fit the ring", kinds)
    apart = [i for i in f.lost if i["from"] > continued or i["to"] < stopped]
    say(f.lost and not apart, "each loss overlaps the stall", apart,
        "%f .. %f" % (stopped, continued))
    before = [b for n, a, b in f.log if n == "before"]
    after = [a for n, a, b in f.log if n == "after"]
    say(all(max(before) < i["from"] and i["to"] < min(after) for i in f.lost),
        "none reaches what was before and after", f.lost, max(before), min(after))
    for name in ("before", "after"):
        got = [f.found(*entry) for entry in f.log if entry[0] == name]
        say(len(got) == 20 and all(got), "all requests %s are found" % name,
            "%d of %d" % (sum(map(bool, got)), len(got)))
        say(not any(r["incomplete"] for r in got if r), "requests %s are complete" % name,
            *[r for r in got if r and r["incomplete"]][:3])
    got = [f.found(*entry) for entry in f.log if entry[0] == "during"]
    say(len(got) == 5 and all(r is None or r["incomplete"] for r in got),
        "requests during the stall are incomplete, or lost", got)
    got = [f.found(*entry) for entry in f.log if entry[0] == "long"]
    say(len(got) == 1 and got[0] and got[0]["incomplete"],
        "the request that was in flight all the time is incomplete", got)


def storage(report, log):
    f = Facts(report, log)
    f.consistent()
    kinds = f.health["lost_by_kind"]
    for kind in ("connection_storage", "thread_storage"):
        say(kinds.get(kind, 0) > 0, "%s: %d" % (kind, kinds.get(kind, 0)), kinds)
    got = [(f.found(*entry), entry) for entry in f.log]
    absent = [e for r, e in got if r is None]
    say(0 < len(absent) < len(got), "some connections are not seen: %d of %d" %
        (len(absent), len(got)))
    say(all(any(i["kind"] == "connection_storage" for i in f.overlapping(e[1], e[2]))
            for e in absent), "each of them overlaps a loss of that kind", absent, f.lost)
    say(any(r and not r["incomplete"] for r, e in got), "others are complete")
    unknown = [r for r, e in got if r and not r["incomplete"] and
               any(p["cause"] == "unknown" and p["us"] > 1000 and
                   p["what"] != "before the thread was known" for p in r["parts"])]
    say(not unknown, "what is complete has its states", *unknown[:2])


if __name__ == "__main__":
    {"server": server, "client": client, "stall": stall, "storage": storage}[sys.argv[1]](
        *sys.argv[2:])
