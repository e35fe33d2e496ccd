# SPDX-License-Identifier: GPL-2.0-only
"""What the requests of waits.sh waited for: waits_check.py REPORT PYTHON_PID RUBY_PID JAVA_PID."""
import sys

from facts import kind, load, ok

N = 3
requests = kind(load(sys.argv[1]), "request")
pids = dict(zip(("python", "ruby", "java"), map(int, sys.argv[2:])))


def parts(r):
    return {"%s %s by %s" % (p["cause"], p["what"] or "", p["held_by"] or "-"): p["us"] for p in r["parts"]}


def us(r, *causes, what=None, held_by=None):
    return sum(p["us"] for p in r["parts"]
               if p["cause"] in causes and what in (None, p["what"]) and held_by in (None, p["held_by"]))


def of(name, path):
    return [r for r in requests if r["pid"] == pids[name] and r["route"] == "GET " + path]


def each(name, path, text, least_us, cause, **more):
    """Every request of the path has that time in the cause, and little of a false name."""
    rows = of(name, path)
    wrong = [parts(r) for r in rows if us(r, cause, **more) < least_us or
             us(r, *{"sleep", "lock", "ipc"} - {cause}) > 20000]
    ok(len(rows) == N and not wrong, "%s %s: %s" % (name, path, text), len(rows), *wrong)


def work(name, path):
    """Who waits for another thread's work has what that did, it slept; or waits for another thread."""
    rows = of(name, path)
    wrong = [parts(r) for r in rows if us(r, "lock") > 20000 or
             us(r, "sleep", "ipc") < 290000]
    ok(len(rows) == N and not wrong and any(us(r, "sleep") >= 290000 for r in rows),
       "%s %s: who waits for another thread has what that did" % (name, path), *map(parts, rows))


each("python", "/event", "a timed wait that ends by its timeout is sleep", 290000, "sleep")
each("python", "/cond", "so it is by the clock of the day", 290000, "sleep")
work("python", "/result")
work("python", "/result-in")
each("python", "/mutex", "a mutex is a lock, with its holder", 200000, "lock", what="futex", held_by="GET /hold")
rows = of("python", "/gil")
ok(sum(us(r, "lock", what="GIL", held_by="GET /spin") for r in rows) >= 20000 and
   not any(us(r, "sleep") > 20000 for r in rows),
   "python /gil: so is the interpreter's, asked for again and again", *map(parts, rows))
each("ruby", "/sleep", "sleeps", 290000, "sleep")
work("ruby", "/result")
bad = [parts(r) for r in of("ruby", "/gvl") + of("ruby", "/spin") if us(r, "sleep", "lock") > 20000]
ok(not bad, "ruby: the interpreter's lock is no sleep", *bad)
each("java", "/sleep", "sleeps", 290000, "sleep")
each("java", "/park", "sleeps", 290000, "sleep")
work("java", "/result")
work("java", "/result-in")
