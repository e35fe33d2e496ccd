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


# So many requests may go before it is known that Puma's reactor hands over what it reads: until then
# what cannot be known is to be unknown
LEARNED = 20


def threads(path, name, asked_path, taken_path):
    rows, asked, taken = load(path), log(asked_path), log(taken_path)
    found = requests_of(rows, name, asked)
    loops = [parts(r) for r in found.values() if us(r, "loop") or r["binding"] == "L"]
    ok(not loops, "%s: no thread of a pool is an event loop" % name, len(loops), *loops[:3])
    order = sorted(found, key=lambda p: asked[p][1])
    new = set(order[:LEARNED]) if name == "puma" else set()
    wrong, unknown, works, waited, few = [], [], [], 0, len(found) / 20 if new else 0
    for p, r in found.items():
        queue = (taken[p][0] - asked[p][0]) / 1000
        # what came before the request arrived, and what the thread did between its read and its log
        before = (asked[p][1] - asked[p][0]) / 1000 - r["wall_us"]
        work = before + us(r, "cpu", "runq", "disk", "fault")
        waited += queue > 50000
        maybe = us(r, "unknown") if p in new else 0
        if us(r, "unknown") - maybe > 1000:
            unknown.append(parts(r))
            maybe = us(r, "unknown")
        if us(r, "queue") + maybe < queue - work - 5000 or us(r, "queue") > queue + 5000:
            wrong.append((round(queue), parts(r)))
        slept = us(r, "sleep")
        if slept + maybe < 149000 or slept > (taken[p][1] - taken[p][0]) / 1000:
            works.append((round((taken[p][1] - taken[p][0]) / 1000), parts(r)))
    ok(waited > 15, "%s: requests waited for a thread" % name, waited)
    ok(not wrong, "%s: ... and that is queue, as long as the server says" % name, len(wrong),
       *wrong[:5])
    # a thread that was awake when another one read may have been at anything
    ok(len(unknown) <= few, "%s: ... and next to nothing is unknown" % name, len(unknown), *unknown[:5])
    ok(not works, "%s: then it sleeps, as long as the server says" % name, len(works), *works[:5])
    pools = [p for r in kind(rows, "health") for p in r["pools"]]
    ok([p["workers"] for p in pools] == [2] and pools[0]["busy"] in (1, 2),
       "%s: a pool of two threads" % name, pools)
    rests(found, name)
    if name == "puma":
        calls({p: r for p, r in found.items() if p not in new}, found, name)


def calls(known, found, name):
    """Each asks another server for the same page."""
    others = [(p, c["what"]) for p, r in found.items() for c in r["calls"]
              if c["what"] != "GET /slow" + p]
    ok(not others, "%s: no request has the call of another one" % name, len(others), *others[:5])
    none = [brief(r) for r in known.values() if len(r["calls"]) != 1]
    ok(known and len(none) <= len(known) / 20, "%s: each has its own" % name,
       "%d of %d" % (len(none), len(known)), *none[:3])


def rest(path, name, asked_path):
    rests(requests_of(load(path), name, log(asked_path)), name)


if __name__ == "__main__":
    {"threads": threads, "rest": rest}[sys.argv[1]](*sys.argv[2:])
