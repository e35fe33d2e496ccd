# SPDX-License-Identifier: GPL-2.0-only
"""Checks of pgsql.sh.

pgsql_check.py ends REPORT LOG               what the client asked for, each once, for as long
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


def stream(requests, routes):
    """A stream that goes on while a statement sleeps for a second."""
    rows = kind(load(requests), "request")
    mine = [r for r in rows if r["route"].startswith("START_REPLICATION")]
    ok(len(mine) == 1 and mine[0]["open"] and mine[0]["stream"] and mine[0]["wall_us"] > 1e6,
       "replication is a stream in flight", *map(brief, mine))
    sums = {r["route"]: r["wait_s_per_s"] for r in kind(load(routes), "route")}
    ok(sums.get("SELECT pg_sleep(?) AS beside", 0) > 0, "the statement beside it is in WAIT/s", sums)
    ok(not [w for r, w in sums.items() if r.startswith("START_REPLICATION") and w], "the stream is not", sums)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
