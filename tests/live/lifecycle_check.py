# SPDX-License-Identifier: GPL-2.0-only
"""Checks of lifecycle.sh: lifecycle_check.py late|reload|flight REPORT ..."""
import json
import sys
from collections import Counter

from facts import brief, check_sums, kind, load, ok

rows = load(sys.argv[2])
requests = kind(rows, "request")


def late():
    # answered after the start as a whole; what was in flight before may only be there as incomplete
    whole = [r for r in requests if not r["incomplete"]]
    got = Counter((r["service"], r["route"], r["status"], r["aborted"]) for r in whole)
    wanted = {("nginx", "GET /after.html", 200, False): 2, ("nginx", "GET /kept.html", 200, False): 3,
              ("nginx", "GET /next.php", 200, False): 1, ("php-fpm", "GET /next.php", 200, False): 1}
    for k, n in wanted.items():
        ok(got[k] == n, "started late: %s %s: %d" % (k[0], k[1], n), got[k])
    rest = [brief(r) for r in whole
            if (r["service"], r["route"], r["status"], r["aborted"]) not in wanted]
    ok(not rest, "started late: what was in flight is absent or incomplete", len(rest), *rest)
    php = [r for r in requests if r["route"] == "GET /next.php" and r["service"] == "php-fpm"]
    ok(all(r["parent"] for r in php), "started late: hops are joined", *php)
    check_sums(requests, "started late: parts sum to the wall time")


def reload():
    with open(sys.argv[3]) as f:
        log = [line.split() for line in f]
    with open(sys.argv[4]) as f:
        answered = json.load(f)
    mine = [r for r in requests if r["service"] == "nginx" and r["route"] == "GET /reload.html" and
            r["status"] == 200 and not r["incomplete"]]
    ok(len(log) >= answered > 500, "reload: the log has what clients got (%d)" % answered, len(log))
    ok(len({r["pid"] for r in mine}) >= 3, "reload: several generations of workers served",
       Counter(r["pid"] for r in mine))
    ok(len(mine) == len(log), "reload: as many requests as in the log (%d)" % len(log), len(mine))
    ids = {r["id"] for r in mine}
    rest = [r for r in requests if r["id"] not in ids]
    ok(not rest, "reload: nothing else is a request", len(rest), *[brief(r) for r in rest[:4]])
    ok(kind(rows, "health")[0]["lost"] == 0, "reload: no record is lost")
    check_sums(requests, "reload: parts sum to the wall time")


def flight():
    mine = [r for r in requests if r["open"] and r["route"] == "GET /flight.php"]
    for who, waits in (("nginx", "php-fpm"), ("php-fpm", "sleep")):
        # two were sent while this tardy ran; two others are older and may be known or not
        seen = [r for r in mine if r["service"] == who and waits in (r["waiting_for"] or "")]
        ok(2 <= len(seen) <= 4, "in flight: %s waits for %s" % (who, waits), len(seen),
           *[(r["waiting_for"], brief(r)) for r in mine])
    wrong = [r for r in requests if not r["open"] and not r["incomplete"]]
    ok(not wrong, "in flight: none of them is reported as ended", *[brief(r) for r in wrong])
    check_sums(mine, "in flight: parts sum to the wall time so far")


{"late": late, "reload": reload, "flight": flight}[sys.argv[1]]()
