# SPDX-License-Identifier: GPL-2.0-only
"""Checks of pools.sh.

pools_check.py threads REPORT NAME ASKED TAKEN   two threads serve; who waits for one waits in a queue
pools_check.py rest REPORT NAME ASKED            nobody works while a server has nothing to do
"""
import sys

from facts import brief, kind, load, ok


def log(path):
    with open(path) as f:
        return {w[0]: [int(v) for v in w[1:]] for w in map(str.split, f) if len(w) > 1}


def us(r, *causes):
    return sum(p["us"] for p in r["parts"] if p["cause"] in causes)


def parts(r):
    return r["route"], {"%s %s" % (p["cause"], p["what"] or ""): p["us"] for p in r["parts"]}


def requests_of(rows, name, asked):
    found = {r["route"].split(" ")[-1]: r for r in kind(rows, "request")}
    ok(len(asked) > 10 and set(found) == set(asked),
       "%s: each request was found, and no other" % name, sorted(set(found) ^ set(asked)))
    return {path: r for path, r in found.items() if path in asked}


def rests(found, name):
    late = [brief(r) for r in found.values() if r["after_us"] > 500000]
    ok(not late, "%s: who has nothing to do does not work" % name, *late[:3])


def threads(path, name, asked_path, taken_path):
    rows, asked, taken = load(path), log(asked_path), log(taken_path)
    found = requests_of(rows, name, asked)
    loops = [parts(r) for r in found.values() if us(r, "loop") or r["binding"] == "L"]
    ok(not loops, "%s: no thread of a pool is an event loop" % name, len(loops), *loops[:3])
    wrong, waited = [], 0
    for p, r in found.items():
        queue = (taken[p][0] - asked[p][0]) / 1000
        # what came before the request arrived, and what the thread did between its read and its log
        before = (asked[p][1] - asked[p][0]) / 1000 - r["wall_us"]
        work = before + us(r, "cpu", "runq", "disk", "fault")
        waited += queue > 50000
        if not queue - work - 5000 < us(r, "queue") < queue + 5000:
            wrong.append((round(queue), parts(r)))
    ok(waited > 10, "%s: requests waited for a thread" % name, waited)
    ok(not wrong, "%s: ... and that is queue, as long as the server says" % name, len(wrong),
       *wrong[:5])
    pools = [p for r in kind(rows, "health") for p in r["pools"]]
    ok([p["workers"] for p in pools] == [2] and pools[0]["busy"] in (1, 2),
       "%s: a pool of two threads" % name, pools)
    rests(found, name)


def rest(path, name, asked_path):
    rests(requests_of(load(path), name, log(asked_path)), name)


if __name__ == "__main__":
    {"threads": threads, "rest": rest}[sys.argv[1]](*sys.argv[2:])
