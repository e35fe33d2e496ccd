# SPDX-License-Identifier: GPL-2.0-only
"""probe.py REPORT: the marks of probe.sh's requests."""
import sys

from facts import brief, check_sums, kind, load, ok

rows = load(sys.argv[1])
requests = kind(rows, "request")


def marks(route, *wanted, among=requests):
    """Every request of a route has marks whose labels contain these, in this order and number."""
    mine = [r for r in among if r["route"] == route]
    for r in mine:
        got = [m["label"] for m in r["marks"]]
        ok(len(got) == len(wanted) and all(w in g for w, g in zip(wanted, got)),
           "%s %s: marks %s" % (r["service"], route, " ".join(wanted) or "none"), got, brief(r))
        at = [m["at_us"] for m in r["marks"]]
        ok(at == sorted(at) and all(0 <= a <= r["wall_us"] for a in at),
           "%s %s: marks are inside the request, in order" % (r["service"], route), at, r["wall_us"])
    return mine


server = [r for r in requests if r["service"] not in ("nginx", "php-fpm", "postgres")]
ok(len(marks("GET /once", "step_one", among=server)) == 2, "two requests pass one point")
twice = marks("GET /twice", "step_one", "step_two", "step_two", among=server)
ok(len(twice) == 1, "one request passes two points, one of them twice")
for r in twice:
    at = [m["at_us"] for m in r["marks"]]
    slept = sum(p["us"] for p in r["parts"] if p["cause"] == "sleep")
    ok(len(at) == 3 and at[1] - at[0] >= slept > 0, "the sleep is between the first two marks", at,
       slept)
php = [r for r in requests if r["service"] == "php-fpm"]
ok(len(marks("GET /page.php", "request__startup", among=php)) == 2, "USDT: php's point marks pages")
nginx = [r for r in requests if r["service"] == "nginx"]
ok(len(marks("GET /index.html", among=nginx)) == 2, "other requests have no mark")
queries = [r for r in requests if r["service"] == "postgres" and (r["route"] or "").startswith("SELECT")]
ok(len(queries) == 1, "the query is there", [brief(r) for r in queries])
for r in queries:
    labels = [m["label"] for m in r["marks"]]
    ok(len(labels) == 1 and "query__start" in labels[0], "USDT: postgres' point marks the query",
       labels)
check_sums(requests, "parts sum to the wall time for each request")
