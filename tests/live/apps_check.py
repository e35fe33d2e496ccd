# SPDX-License-Identifier: GPL-2.0-only
"""What an application on an event loop waited for: apps_check.py REPORT LOG ROUTE... LOG and LOG.cpu
are the application's own."""
import sys

from facts import kind, load, ok, pair

report, path, routes = load(sys.argv[1]), sys.argv[2], sys.argv[3:]
log = load(path)
with open(path + ".cpu") as f:
    busy_us = float(f.read()) * 1e6
pids = {row["pid"] for row in log}
requests = [r for r in kind(report, "request") if r["pid"] in pids]
pairs, missed, _ = pair(log, [r for r in requests if r["entry"]], 0.5)
name = requests[0]["service"] if requests else "?"


def us(r, *causes):
    return sum(p["us"] for p in r["parts"] if p["cause"] in causes)


def of_database(r):
    return sum(p["us"] for p in r["parts"]
               if p["cause"] == "db" or p["via"] or p["who"] == "postgres")


def parts(r):
    return r["route"], r["wall_us"], [(p["who"], p["cause"], p["what"], p["held_by"], p["us"])
                                      for p in r["parts"]]


def each(route, what, test):
    rows = [(row, r) for row, r in pairs if row["route"] == "GET " + route]
    bad = [parts(r) for row, r in rows if not test(row, r)]
    ok(rows and not bad, "%s, %s: %s" % (name, route, what), "%d of %d" % (len(bad), len(rows)),
       *bad[:4])


ok(len(missed) <= len(log) // 100, name + ": its requests are found", *missed[:3])
count = lambda rows: {k: len([1 for r in rows if r["route"] == k]) for k in {r["route"] for r in rows}}
ok(count(log) == count(requests), name + ": and no others", count(log), count(requests))
each("/timer", "a timer is sleep; where the loop went on with others until it was due, not known",
     lambda row, r: us(r, "sleep", "unknown", "other", "loop", "runq") > 0.9 * r["wall_us"])
slept = [us(r, "sleep") / r["wall_us"] for row, r in pairs if row["route"] == "GET /timer"]
ok(len([s for s in slept if s > 0.7]) > 0.8 * len(slept), name + ", /timer: nearly all sleep", *slept)
# uvicorn's worker sleeps, one of Node's computes
work, not_work = ("sleep", "cpu") if "/db" in routes else ("cpu", "sleep")
each("/work", "another thread's result is what that did, or not known",
     lambda row, r: us(r, work, "runq", "unknown", "ipc") > 0.7 * r["wall_us"] - 10000 and
     us(r, not_work) < 5000)
done = [r for row, r in pairs if row["route"] == "GET /work" and us(r, work, "runq") > 0.9 * r["wall_us"]]
ok(len(done) >= 4, name + ", /work: of some it is known", len(done))
# Node's main thread can wait for one that collects garbage
each("/spin", "what keeps the loop busy runs, or waits for it",
     lambda row, r: us(r, "cpu", "runq", "loop", "queue", "ipc") > 0.9 * r["wall_us"])
if "/db" in routes:
    near = lambda row, r: 45000 < of_database(r) < row["query_us"] + 5000
    each("/db", "the database has no more than its query took, or nothing", lambda row, r:
         near(row, r) or not of_database(r))
    ok(len([1 for row, r in pairs if row["query_us"] and near(row, r)]) >= 8,
       name + ", /db: who asks alone has its call")
    each("/db", "waiting for the pool's connection has no name", lambda row, r:
         us(r, "sleep", "lock") - of_database(r) < 10000)
# three at once wait for one loop
loop = sum(us(r, "loop") for r in requests)
ok(loop <= 3 * busy_us, name + ": no more waits for the loop than it was busy",
   "loop %d us, busy %d us" % (loop, busy_us))
