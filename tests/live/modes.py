# SPDX-License-Identifier: GPL-2.0-only
"""modes.py MODE REPORT: whether the trouble that a mode of the classroom makes is found."""
import re
import sys
from collections import Counter

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


def leader(rows, size):
    """The (who, cause) that most of the rows' size is of, whatever it was for."""
    sums = Counter()
    for r in rows:
        sums[(r["who"], r["cause"])] += r[size]
    return max(sums, key=sums.get) if sums else (None, None)


def parts_of(route):
    """The parts of the mean of that route's entry requests."""
    rows = [r for r in routes if r["entry"] and r["route"] == route]
    return rows[0]["parts"] if rows else []


def leads(cause, who, *route):
    """The verdict, the first hotspot and the mean of the route say the same: who, and why."""
    top = summary["top"]
    ok(summary["verdict"] == "wait" and top["cause"] == cause and who(top["who"]),
       say("the verdict is " + cause), summary["verdict"], top)
    ok(top["route"] in route, say("the verdict names the route"), top, route)
    first = leader(hotspots, "wait_s_per_s")
    ok(first[1] == cause and who(first[0]), say("hotspots say so, too"), first, show(hotspots[0]))
    part = leader(parts_of(top["route"]), "us")
    ok(part[1] == cause and who(part[0]), say("it is most of a mean request, too"), part)


def named_us(cause, who):
    """Microseconds of entry requests by what that service waited for in that cause."""
    named = Counter()
    for r in requests:
        for p in r["parts"]:
            if r["entry"] and p["cause"] == cause and p["who"] == who:
                named[p["what"] or ""] += p["us"]
    return named


def is_php(who):
    return who == "php-fpm"


def upload_disk():
    leads("disk", is_php, "POST /upload.php")
    # The throttle holds writes back before the device. Where a worker of the kernel on another CPU
    # ended the wait, or the journal's thread, which waits for everybody's data, only that is known.
    named = named_us("disk", "php-fpm")
    total = sum(named.values())
    held = sum(us for what, us in named.items() if " write held" in what)
    behind = sum(us for what, us in named.items() if what.startswith(("journal", "writeback")))
    ok(held > 0.2 * total and held + behind > 0.8 * total,
       say("it says that writes are held before the device"), named.most_common(4))
    limited = sum(us for what, us in named.items()
                  if " write held by limit 1.05 MB/s of classroom-" in what)
    ok(limited > 0.9 * held, say("by the limit of the group that the pool is in"), limited, held,
       named.most_common(4))
    nginx = [p for r in requests if r["route"] == "POST /upload.php" and r["service"] == "nginx"
             for p in r["parts"] if p["cause"] == "disk" and p["who"] == "nginx"]
    php = [p for r in requests if r["route"] == "POST /upload.php" and r["service"] == "nginx"
           for p in r["parts"] if p["cause"] == "disk" and p["who"] == "php-fpm"]
    ok(sum(p["us"] for p in php) > 10 * sum(p["us"] for p in nginx),
       say("nginx, whose disk is not slow, does not wait for one"), nginx[:3])


def cpu_quota():
    leads("throttle", is_php, "POST /quiz_start.php", "POST /login.php", "GET /dashboard.php",
          "GET /course.php")
    others = [p for r in requests for p in r["parts"]
              if p["cause"] == "throttle" and p["who"] != "php-fpm"]
    ok(not others, say("nobody outside of the group is throttled"), *others[:3])


def tutor():
    def is_model(who):
        return re.fullmatch(r"198\.18\.\d+\.\d+:8080", who or "") is not None

    leads("upstream", is_model, "GET /tutor.php")
    ok((summary["top"]["what"] or "").startswith("POST /v1/answers"), say("it names what was asked for"),
       summary["top"])
    rows = [r for r in requests if r["route"] == "GET /tutor.php" and not r["incomplete"]]
    done = [r for r in rows if r["service"] == "nginx" and not r["open"] and not r["aborted"]]
    ok(len(done) >= 3, say("answers are there"), len(done), len(rows))
    # an answer is a stream from its head on, which leaves with the first word
    plain = [r for r in rows if not r["stream"] and r["sends"]]
    ok(not plain, say("answers are streams, in each hop"), *[brief(r) for r in plain[:3]])
    # 30 to 69 words; a reader that is late finds two of them at once
    few = [r for r in done if not 10 <= r["sends"] <= 80]
    ok(not few, say("they leave in as many pieces as come"), *[(r["sends"], brief(r)) for r in few[:3]])
    # first byte, mean gap and total are of one clock: they add up, but for the gap's rounding
    wrong = [r for r in done
             if abs(r["first_byte_us"] + r["gap_us"] * (r["sends"] - 1) - r["wall_us"]) > r["sends"]]
    ok(not wrong, say("first byte and gaps add up to the total"),
       *[(r["first_byte_us"], r["gap_us"], r["sends"], brief(r)) for r in wrong[:3]])
    route = [r for r in routes if r["entry"] and r["route"] == "GET /tutor.php"][0]
    ok(route["streams"] == route["requests"] and route["max_us"] == 0,
       say("they are in no percentile"), {k: route[k] for k in ("streams", "requests", "max_us")})
    ok(route["stream_first_byte_us"] and route["stream_gap_us"] and
       route["stream_first_byte_us"] < route["stream_wall_us"],
       say("the route says first byte, gap and total"),
       {k: route[k] for k in route if k.startswith("stream")})
    pages = [r for r in requests if r["route"] in ("GET /dashboard.php", "GET /ajax.php") and r["stream"]]
    ok(not pages, say("pages are no streams"), *[brief(r) for r in pages[:3]])


def cpu_hog():
    leads("runq", is_php, "POST /quiz_start.php", "POST /login.php")
    # the backup is two programs, of which one feeds the other
    named = named_us("runq", "php-fpm")
    hog = named["behind xz"] + named["behind seq"]
    ok(hog > 0.2 * sum(us for what, us in named.items() if what),
       say("it says who ran instead"), named.most_common(4))
    hog = [p for r in requests for p in r["parts"] if "xz" in (p["who"] or "")]
    ok(not hog, say("who takes the CPUs has no part of a request"), *hog[:3])


{"exam-start": exam_start, "session-lock": session_lock, "n-plus-one": n_plus_one,
 "upload-disk": upload_disk, "cpu-quota": cpu_quota, "tutor": tutor, "cpu-hog": cpu_hog}[mode]()
check_sums(routes, say("parts sum to the wall time of each of %d routes" % len(routes)))
check_sums(requests, say("parts sum to the wall time of each of %d requests" % len(requests)))
check_unknown(requests, say("at most 1 % of the wall time is unknown"))
ok(health["lost"] == 0, say("no record is lost"), health["lost_by_kind"])
alien = [p for r in requests for p in r["parts"] if p["us"] and not p["who"]]
ok(not alien, say("every part has an owner"), *alien[:3])
