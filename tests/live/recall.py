# SPDX-License-Identifier: GPL-2.0-only
"""Compares tardy's requests with the servers' own access logs of the same run.

recall.py classroom REPORT LOGDIR FROM TO     nginx and php-fpm of the classroom
recall.py counts REPORT NGINX-LOG PHP-LOG     all of a run: counts by route
"""
import sys
import time
from collections import Counter, defaultdict

from facts import (brief, check_sums, check_unknown, check_walls, end_s, kind, load, nginx_log, ok, own_us, pair,
                   php_log, start_s)

NEAR_S = 0.05    # nginx's cached clock against tardy's end
RECALL = 0.99
CONNECTIONS = 16    # of wrk in recall.sh


def inside(rows, begin, end):
    return [r for r in rows if begin <= r["start"] and r["end"] <= end]


def check_found(who, log, missed, extra):
    """Both ways, and by route, so that a rare route cannot hide behind a common one."""
    total, lost = Counter(r["route"] for r in log), Counter(r["route"] for r in missed)
    ok(len(log) >= 50, "%s: the log has requests of the interval (%d)" % (who, len(log)))
    ok(len(missed) <= (1 - RECALL) * len(log),
       "%s: at least 99 %% of %d requests are found" % (who, len(log)), "missed %d" % len(missed),
       *missed[:5])
    bad = ["%s: %d of %d" % (r, lost[r], n) for r, n in total.items()
           if lost[r] > max(1, (1 - RECALL) * n)]
    ok(not bad, "%s: no route lacks more than 1 %% (or one) of its requests" % who, *bad)
    ok(not extra, "%s: none is invented" % who, "%d" % len(extra), *[brief(r) for r in extra[:5]])


def tail_us(r, log_us, stale):
    """What the log's figure may lack: the server's own time in `stale` causes, while it does not
    look at its clock, and calls that it made after it had."""
    logged = own_us(r, "queue", "loop") + log_us - 1000
    return own_us(r, *stale) + r["after_us"] + sum(
        c["wall_us"] for c in r["calls"] if c["start_us"] + c["wall_us"] > logged)


def check_times(who, pairs, clock_us, stale, exact_share):
    """Wall time after the queue against the log. An event loop looks at its clock once for all
    that was ready together, so that its log begins before the `loop` that tardy shows."""
    exact = bound = 0
    worst = []
    for row, r in pairs:
        slack = max(clock_us, row["us"] / 100)
        diff = r["wall_us"] - own_us(r, "queue", "loop") - row["us"]
        exact += abs(diff) <= slack
        good = -slack - own_us(r, "loop") <= diff <= slack + tail_us(r, row["us"], stale)
        bound += good
        if not good:
            worst.append((diff, row["us"], brief(r),
                          [(p["who"], p["cause"], p["us"]) for p in r["parts"][:6]]))
    n = len(pairs)
    ok(n and bound >= 0.99 * n, "%s: wall - queue is the log's time, or more by what its clock "
       "misses, for 99 %% of %d" % (who, n), bound, *sorted(worst, key=lambda w: -abs(w[0]))[:5])
    if exact_share:
        ok(n and exact >= exact_share * n, "%s: wall - queue is within 1 ms or 1 %% of the log for "
           "%.0f %% of %d" % (who, 100 * exact_share, n), exact)


def classroom_nginx(requests, path, begin, end):
    log = nginx_log(path)
    mine = [r for r in requests if r["service"] == "nginx" and not r["open"]]
    pairs, missed, extra = pair(log, mine, NEAR_S)
    # a request at the edge may be in either only
    wanted = inside(log, begin + NEAR_S, end - NEAR_S)
    ids = {id(r) for r in wanted}
    missed = [r for r in missed if id(r) in ids]
    extra = [r for r in extra if begin <= start_s(r) and end_s(r) <= end - NEAR_S]
    check_found("nginx", wanted, missed, extra)
    check_times("nginx", [p for p in pairs if id(p[0]) in ids], 2000, ("cpu", "runq", "disk"), 0.90)


def align(log, mine):
    """Longest common sequence of one worker's log and tardy's rows, both in order."""
    same = lambda a, b: (a["route"] == b["route"] and a["status"] == b["status"] and
                         -0.1 <= end_s(b) - a["end"] <= 1.3)
    n, m = len(log), len(mine)
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = (best[i + 1][j + 1] + 1 if same(log[i], mine[j])
                          else max(best[i + 1][j], best[i][j + 1]))
    i = j = 0
    while i < n and j < m:
        if same(log[i], mine[j]) and best[i][j] == best[i + 1][j + 1] + 1:
            yield log[i], mine[j]
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1


def served_since(path, begin):
    """When the last request that had arrived before `begin` was answered: php-fpm's log does not
    know how long a request had been in its queue."""
    return max([begin] + [r["end"] for r in nginx_log(path)
                         if r["start"] <= begin + NEAR_S and begin < r["end"]])


def classroom_php(requests, path, begin, end):
    log = php_log(path)
    for r in log:
        r["end"] = time.mktime(time.strptime(r["second"], "%Y-%m-%dT%H:%M:%S"))
        r["start"] = r["end"] - r["us"] / 1e6
    mine = [r for r in requests if r["service"] == "php-fpm" and not r["open"]]
    workers = defaultdict(lambda: ([], []))
    for r in log:
        workers[r["pid"]][0].append(r)
    for r in sorted(mine, key=end_s):
        workers[r["pid"]][1].append(r)
    pairs = [p for a, b in workers.values() for p in align(a, b)]
    paired = {id(x) for p in pairs for x in p}
    # the log's second is the start of the one in which the request ended
    wanted = inside(log, begin + NEAR_S, end - 1)
    missed = [r for r in wanted if id(r) not in paired]
    extra = [r for r in mine if id(r) not in paired and begin <= start_s(r) and end_s(r) <= end]
    check_found("php-fpm", wanted, missed, extra)
    ids = {id(r) for r in wanted}
    check_times("php-fpm", [p for p in pairs if id(p[0]) in ids], 1000,
                ("cpu", "runq", "disk", "lock"), 0)


def classroom(report, logs, begin, end):
    rows = load(report)
    requests = kind(rows, "request")
    classroom_nginx(requests, logs + "/nginx-access.log", begin, end)
    classroom_php(requests, logs + "/php-access.log",
                  served_since(logs + "/nginx-access.log", begin), end)
    phantoms = [r for r in requests if r["service"] in ("nginx", "php-fpm") and
                r["protocol"] not in ("http", "fastcgi") and not r["incomplete"] and
                not r["open"]]
    ok(not phantoms, "no request of a server without its protocol, but incomplete ones",
       len(phantoms), *[brief(r) for r in phantoms[:3]])
    check_walls(requests, end + 1, "no request ends after the run")
    check_sums(requests, "parts sum to the wall time for each of %d requests" % len(requests))
    check_unknown(requests, "at most 1 % of the wall time is unknown")
    health = kind(rows, "health")[0]
    ok(health["lost"] == 0, "no record is lost", health["lost_by_kind"])


def counts(report, nginx_path, php_path):
    rows = load(report)
    requests = [r for r in kind(rows, "request") if not r["open"]]
    for who, log in (("nginx", nginx_log(nginx_path)),
                     ("php-fpm", php_log(php_path) if php_path else [])):
        if not log:
            continue
        key = lambda r: (r["route"], r["status"])
        theirs = Counter(key(r) for r in log)
        mine = Counter(key(r) for r in requests if r["service"] == who)
        ok(len(log) > 500, "%s: the log has requests (%d)" % (who, len(log)))
        for k, n in theirs.items():
            # 499: the client left, which is no status on the wire
            if k[1] == 499:
                continue
            ok(RECALL * n <= mine[k] <= n, "%s: found of %d %s %s: at least 99 %%, none invented" %
               (who, n, *k), "found %d" % mine[k])
        odd = {k: n for k, n in mine.items() if k not in theirs and k[1] is not None}
        ok(not odd, "%s: no other route or status" % who, odd)
        odd = [r for r in requests if r["service"] == who and r["status"] is None]
        wrong = [r for r in odd if not r["aborted"] and not r["incomplete"]]
        ok(not wrong and len(odd) <= CONNECTIONS, "%s: what has no status was aborted by the end of "
           "the load" % who, len(odd), *[brief(r) for r in wrong[:3]])
    ok(all(r["service"] in ("nginx", "php-fpm") for r in requests), "no other service")
    if php_path:
        check_pages(requests, php_log(php_path))
    check_sums(requests, "parts sum to the wall time for each of %d requests" % len(requests))
    health = kind(rows, "health")[0]
    ok(health["lost"] == 0, "no record is lost", health["lost_by_kind"])
    ok(health["requests_dropped"] == 0, "the report lists every request",
       health["requests_dropped"])


def check_pages(requests, log):
    """Each worker's rows against its log, in order; both are complete. The log's figure is taken
    before the worker ends the answer, and begins when it accepts: tardy's also has what the worker
    did between its previous answer and that."""
    pairs = []
    for pid in sorted({r["pid"] for r in log}):
        theirs = [r for r in log if r["pid"] == pid]
        mine = sorted((r for r in requests if r["pid"] == pid), key=end_s)
        ok(len(mine) == len(theirs), "php-fpm: a worker's requests as in its log (%d)" % len(theirs),
           len(mine))
        pairs += zip(theirs, mine)
    check_times("php-fpm", pairs, 1000, ("cpu", "runq"), 0.90)


if sys.argv[1] == "classroom":
    classroom(sys.argv[2], sys.argv[3], float(sys.argv[4]), float(sys.argv[5]))
else:
    counts(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)
