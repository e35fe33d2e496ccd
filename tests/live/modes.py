# SPDX-License-Identifier: GPL-2.0-only
"""modes.py MODE REPORT: whether the trouble that a mode of the classroom makes is found."""
import sys

from facts import brief, check_sums, check_unknown, kind, load, ok

mode, rows = sys.argv[1], load(sys.argv[2])
summary = kind(rows, "summary")[0]
routes, requests = kind(rows, "route"), kind(rows, "request")
hotspots, health = kind(rows, "hotspot"), kind(rows, "health")[0]
entry = {r["route"] for r in routes if r["entry"]}


def say(name):
    return "%s: %s" % (mode, name)


def show(h):
    return {k: h[k] for k in ("who", "cause", "what", "held_by", "share", "occupied_by")}


def exam_start():
    top = summary["top"]
    ok(summary["verdict"] == "wait" and top["cause"] == "queue" and top["who"] == "php-fpm",
       say("the verdict is php-fpm's queue"), summary["verdict"], top)
    ok("classroom" in (top["what"] or "") and "pool" in (top["what"] or ""),
       say("the verdict names the pool"), top)
    most = max((r for r in routes if r["entry"]), key=lambda r: r["wait_s_per_s"])
    ok(top["route"] == most["route"], say("the verdict names the route with most waiting"), top,
       most["route"])
    h = hotspots[0]
    ok(h["cause"] == "queue" and h["who"] == "php-fpm" and "pool" in (h["what"] or ""),
       say("the first hotspot is it, too"), show(h))
    by = [o["route"] for o in h["occupied_by"]]
    ok(by and by[0] == "POST /quiz_start.php" and set(by) <= {r["route"] for r in routes},
       say("it says which routes occupy the workers"), by)
    pool = [p for p in health["pools"] if p["service"] == "php-fpm"]
    ok(pool and pool[0]["workers"] == 4 and pool[0]["busy"] >= 3, say("the pool is busy"), pool)


def session_lock():
    locks = [h for h in hotspots if h["cause"] == "lock" and h["who"] == "php-fpm"]
    ok(locks, say("waiting for a lock is a hotspot"), *[show(h) for h in hotspots[:3]])
    if not locks:
        return
    ok(locks[0]["held_by"] == "GET /report.php", say("it is held by the report"), show(locks[0]))
    ok(locks[0]["what"], say("it says which kind of lock"), show(locks[0]))
    victims = [r for r in routes if r["entry"] and r["route"] in ("GET /dashboard.php", "GET /ajax.php")]
    for r in victims:
        parts = sorted(r["parts"], key=lambda p: -p["us"])
        ok(parts[0]["cause"] == "lock" and parts[0]["held_by"] == "GET /report.php",
           say(r["route"] + " waits most for the lock"), parts[:2])
    ok(victims, say("the companions are there"), entry)
    top = summary["top"]
    ok(summary["verdict"] == "wait" and top["cause"] == "lock" and top["held_by"] == "GET /report.php",
       say("the verdict is the lock and its holder"), summary["verdict"], top)


def n_plus_one():
    slow = [r for r in requests if r["route"] == "GET /gradebook.php" and r["service"] == "nginx" and
            not r["open"] and not r["incomplete"]]
    ok(len(slow) >= 3, say("gradebooks are there"), len(slow))
    few = []
    for r in slow:
        most = max((p["count"] for p in r["parts"]
                    if p["who"] == "postgres" and p["what"] and p["what"].startswith("SELECT")),
                   default=0)
        if most < 100:
            few.append((brief(r), most))
    ok(slow and not few, say("each has a statement with at least 100 calls"), len(few), *few[:2])
    route = [r for r in routes if r["entry"] and r["route"] == "GET /gradebook.php"]
    db = [p for r in route for p in r["parts"] if p["cause"] == "db"]
    ok(db and max(p["count"] for p in db) >= 100 and all(p["who"] == "postgres" for p in db) and
       all(p["what"] for p in db), say("the route's db parts have statement and count"), db[:3])
    h = [h for h in hotspots if h["cause"] == "db"]
    ok(h and h[0]["who"] == "postgres" and "SELECT" in (h[0]["what"] or ""),
       say("the database is a hotspot, with the statement"), *[show(x) for x in hotspots[:3]])
    literal = [p["what"] for r in requests for p in r["parts"]
               if p["who"] == "postgres" and p["what"] and "student0" in p["what"]]
    ok(not literal, say("no literal is shown"), *literal[:3])


{"exam-start": exam_start, "session-lock": session_lock, "n-plus-one": n_plus_one}[mode]()
check_sums(routes, say("parts sum to the wall time of each of %d routes" % len(routes)))
check_sums(requests, say("parts sum to the wall time of each of %d requests" % len(requests)))
check_unknown(requests, say("at most 1 % of the wall time is unknown"))
ok(health["lost"] == 0, say("no record is lost"), health["lost_by_kind"])
alien = [p for r in requests for p in r["parts"] if p["us"] and not p["who"]]
ok(not alien, say("every part has an owner"), *alien[:3])
