# SPDX-License-Identifier: GPL-2.0-only
"""Checks of pgsql.sh.

pgsql_check.py ends REPORT LOG               what the client asked for, each once, for as long
pgsql_check.py causes REPORT                 what statements waited for
pgsql_check.py pages REPORT                  the same in the pages that asked
pgsql_check.py prepared REPORT               older connections with prepared statements
pgsql_check.py pooler REPORT POOLER          pgbouncer with one connection for all
pgsql_check.py stream REPORT ROUTES          replication is listed, and is in no sum of waiting
"""
import json
import sys
from collections import defaultdict

from facts import brief, kind, load, ok

SLACK_S = 0.05    # of a client that does not get a CPU at once


def ends(path, log_path):
    with open(log_path) as f:
        log = json.load(f)
    rows = [r for r in kind(load(path), "request") if r["route"] not in ("(connect)", "BEGIN", "COMMIT")]
    asked = defaultdict(list)
    for a in log:
        if not a["word"].startswith("portal_"):
            asked[a["word"]].append(a["s"])
    left = list(rows)
    for word, times in asked.items():
        mine = [r for r in left if word in r["route"]]
        left = [r for r in left if word not in r["route"]]
        wrong = [r for r, s in zip(mine, times)
                 if not s / 2 - SLACK_S <= r["wall_us"] / 1e6 <= s + SLACK_S / 10]
        ok(len(mine) == len(times) and not wrong, "%s: found %d times, each as long as it was" % (word, len(times)),
           times, *map(brief, mine))
    ok(not left, "nothing else was asked", *map(brief, left))
    pipe = [r["route"] for r in rows if "pipe_two" in r["route"]]
    ok(pipe and all(w in pipe[0] for w in ("pipe_one", "pipe_three")), "a pipeline has all of its statements", *pipe)
    ok(not [r for r in rows if r["error"] != ("as_third" in r["route"] or "to_cancel" in r["route"])],
       "errors are those that were", *[brief(r) for r in rows if r["error"]])


def prepared(path):
    """Nobody has seen what was prepared, so its name is all that is known."""
    rows = kind(load(path), "request")
    wrong = [r for r in rows if r["protocol"] != "postgresql" or not r["route"].startswith("(prepared P")]
    ok(len(rows) > 20 and not wrong, "prepared: statements of older connections have their names (%d)" % len(rows),
       *map(brief, wrong[:3]))


def pooler(path, pid):
    """Each statement has a name of its own, so each call says whose it is."""
    rows = [r for r in kind(load(path), "request") if "pg_sleep" in r["route"]]
    fronts = {r["id"]: r for r in rows if r["pid"] == int(pid)}
    backs = [r for r in rows if r["pid"] != int(pid)]
    wrong = [r for r in backs if r["parent"] in fronts and fronts[r["parent"]]["route"] != r["route"]]
    ok(len(fronts) == 12 and len(backs) == 12, "pooler: 12 statements, each on both sides", len(fronts), len(backs))
    ok(not wrong, "pooler: none belongs to another's request", *map(brief, wrong))
    ok(len([r for r in backs if r["parent"] in fronts]) >= 10, "pooler: nearly each has its own",
       *[brief(r) for r in backs if r["parent"] not in fronts])


def stream(requests, routes):
    """A stream that goes on while a statement sleeps for a second."""
    rows = kind(load(requests), "request")
    mine = [r for r in rows if r["route"].startswith("START_REPLICATION")]
    ok(len(mine) == 1 and mine[0]["open"] and mine[0]["stream"] and mine[0]["wall_us"] > 1e6,
       "replication is a stream in flight", *map(brief, mine))
    sums = {r["route"]: r["wait_s_per_s"] for r in kind(load(routes), "route")}
    ok(sums.get("SELECT pg_sleep(?) AS beside", 0) > 0, "the statement beside it is in WAIT/s", sums)
    ok(not [w for r, w in sums.items() if r.startswith("START_REPLICATION") and w], "the stream is not", sums)


def main_part(r):
    """The largest part of a request; what the CPU's scheduler took is the host's matter."""
    return max((p for p in r["parts"] if p["cause"] != "runq"), key=lambda p: p["us"])


UNSEEN = []    # waits whose end the kernel did not tell of: they are of no named cause, but none is wrong


def unseen(p):
    if p.get("cause") != "other":
        return False
    UNSEEN.append(p)
    return len(UNSEEN) == 1


def causes(path):
    rows = kind(load(path), "request")
    for word, holder in (("row_waits", "UPDATE held"), ("advisory_waits", "pg_advisory_xact_lock"),
                         ("long_waits", "DELETE FROM held")):
        # the literal of RETURNING is not shown
        mine = [r for r in rows if r["wall_us"] > 200000 and
                (word in r["route"] or r["route"].startswith(holder) and "RETURNING" in r["route"])]
        p = main_part(mine[0]) if mine else {}
        ok(len(mine) == 1 and (unseen(p) or p["cause"] == "lock" and p["us"] > mine[0]["wall_us"] * 0.8 and
           p["held_by"] and p["held_by"].startswith("COMMIT after ") and holder in p["held_by"]),
           "%s: a lock, held by the other's transaction" % word, p, *map(brief, mine))
    for word in ("AS sleep", "mixed_sleeps"):
        mine = [r for r in rows if word in r["route"]]
        p = main_part(mine[0]) if mine else {}
        ok(len(mine) == 1 and (unseen(p) or p["cause"] == "sleep" and p["us"] > mine[0]["wall_us"] * 0.8),
           "%s: it sleeps" % word, p, *map(brief, mine))
    other = [r for r in rows for p in r["parts"] if p["cause"] in ("other", "unknown") and p["us"] > 20000]
    ok(len(other) <= len(UNSEEN), "nothing else waits for what is not known", *map(brief, other))


def pages(path):
    """The caller says what the database says."""
    rows = [r for r in kind(load(path), "request") if r["route"].startswith("GET ")]
    for route, cause, what in (("GET /wait", "lock", "UPDATE shop"), ("GET /sleep", "sleep", "AS nap"),
                               ("GET /hold", "sleep", "pg_sleep")):
        mine = [r for r in rows if r["route"] == route]
        parts = [main_part(r) for r in mine]
        parts = [p for p in parts if not unseen(p)]
        ok(len(mine) == 2 and parts and all(
            p["cause"] == cause and p["who"] == "postgres" and what in (p["what"] or "") for p in parts),
           "%s: %s of postgres" % (route, cause), *parts)
        if cause == "lock":
            ok(all(p["held_by"] == "GET /hold: COMMIT after SELECT pg_sleep(?)" for p in parts),
               "%s: held by the page that has the row" % route, *parts)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
