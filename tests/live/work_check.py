# SPDX-License-Identifier: GPL-2.0-only
"""What the requests of work.sh waited for: work_check.py REPORT APP_LOG VISITORS. Each route has one thing
that it waits for; another one's would be another request's."""
import sys

from facts import kind, load, ok

ROUTES = ("/db", "/cpu", "/nap", "/steps")
SLACK_US = 5000  # of the handler around it
log, visitors = load(sys.argv[2]), int(sys.argv[3])
requests = [r for r in kind(load(sys.argv[1]), "request") if r["entry"]]
name = "%d at once, " % visitors


def of(rows, route):
    return [r for r in rows if r["route"] == "GET " + route]


def in_database(p):
    return bool(p["via"]) or p["who"] == "postgres" or p["cause"] in ("db", "upstream")


def us(r, *causes, database=False):
    return sum(p["us"] for p in r["parts"] if in_database(p) == database and
               (database or p["cause"] in causes))


def parts(r):
    return r["wall_us"], {"%s %s %s" % (p["who"], p["cause"], p["what"]): p["us"] for p in r["parts"]}


did = {"/db": lambda r: us(r, database=True), "/cpu": lambda r: us(r, "cpu", "runq"),
       "/nap": lambda r: us(r, "sleep"), "/steps": lambda r: us(r, "sleep")}
# what no request of the route does; /cpu is all of some processor's, run queue anybody's
never = {"/db": lambda r: us(r, "sleep"), "/cpu": lambda r: us(r, "sleep") + us(r, database=True),
         "/nap": lambda r: us(r, database=True) + us(r, "cpu"),
         "/steps": lambda r: us(r, database=True) + us(r, "cpu")}
truth = {"/db": "db_us", "/cpu": "cpu_us", "/nap": "nap_us", "/steps": "nap_us"}
for route in ROUTES:
    rows, logged = of(requests, route), of(log, route)
    ok(len(rows) == len(logged) == 6 * visitors, name + route + ": found", len(rows), len(logged))
    bad = [parts(r) for r in rows if never[route](r) > SLACK_US]
    ok(not bad, name + route + ": nothing that another one did", *bad[:4])
    most = max(row[truth[route]] for row in logged)
    known = [r for r in rows if did[route](r) > 0.8 * min(row[truth[route]] for row in logged)]
    # waiting for a CPU is none of the application's own clocks
    bad = [parts(r) for r in rows if did[route](r) - us(r, "runq") > most + SLACK_US]
    ok(not bad, name + route + ": no more than it did", *bad[:4])
    # a worker that has not gone to sleep yet needs no waking, and then nothing tells whom it works for
    ok(len(known) >= len(rows) / (2 if visitors == 1 else 5), name + route + ": of many it is known",
       "%d of %d" % (len(known), len(rows)), *[parts(r) for r in rows if r not in known][:3])
    rest = [parts(r) for r in rows if r not in known and
            us(r, "unknown", "other", "loop", "runq", "cpu") < 0.5 * r["wall_us"] and did[route](r) < 1000]
    ok(not rest, name + route + ": the others have no name", *rest[:3])
calls = [c for r in of(requests, "/db") for c in r.get("calls") or []]
ok(calls and all("pg_class" in (c["what"] or "") or "connect" in (c["what"] or "") for c in calls) and
   not any(c for route in ROUTES[1:] for r in of(requests, route) for c in r.get("calls") or []),
   name + "calls are of the route that makes them", len(calls), *calls[:2])
