# SPDX-License-Identifier: GPL-2.0-only
"""What the checks in Python share: results for facts() of tests/lib/live.sh, reading reports and
the servers' own logs, and pairing their rows with tardy's."""
import json
import re
from collections import defaultdict


def ok(good, name, *details):
    """One result. Details are shown when it failed."""
    print(("ok " if good else "not ok ") + name)
    if not good:
        for d in details:
            print("  " + str(d)[:600])


def load(path):
    with open(path) as f:
        return [json.loads(line) for line in f if line.strip()]


def kind(rows, name):
    return [r for r in rows if r.get("kind") == name]


def start_s(r):
    return int(r["start_unix_us"]) / 1e6


def end_s(r):
    return start_s(r) + r["wall_us"] / 1e6


def brief(r):
    return {k: r[k] for k in ("id", "start_unix_us", "wall_us", "service", "pid", "protocol", "route",
                              "status", "entry", "aborted", "incomplete", "open")}


def own_us(r, *causes):
    """Microseconds of the server itself (not of a callee) in these causes."""
    return sum(p["us"] for p in r["parts"]
               if p["cause"] in causes and p["who"] == r["service"] and p["via"] is None)


def check_sums(rows, name):
    """The promise: parts sum to the wall time, exactly, for each row."""
    wrong = [r for r in rows if sum(p["us"] for p in r["parts"]) != r["wall_us"]]
    ok(rows and not wrong, name, "%d of %d rows" % (len(wrong), len(rows)),
       *[(sum(p["us"] for p in r["parts"]), brief(r) if "id" in r else (r["route"], r["wall_us"]))
         for r in wrong[:3]])


def check_unknown(requests, name):
    """At most 1 % of all wall time of entry requests was not measured."""
    rows = [r for r in requests if r["entry"] and not r["open"]]
    wall = sum(r["wall_us"] for r in rows)
    by = defaultdict(int)
    for r in rows:
        for p in r["parts"]:
            if p["cause"] == "unknown":
                by[(r["route"], p["who"], p["what"], p["via"])] += p["us"]
    unknown = sum(by.values())
    ok(wall > 0 and unknown <= wall / 100, name, "%d of %d us are unknown" % (unknown, wall),
       *sorted(by.items(), key=lambda x: -x[1])[:5])


def nginx_log(path):
    """Rows of the classroom's nginx-access.log and of nginx_log_format in recall.sh."""
    rows = []
    with open(path) as f:
        for line in f:
            v = line.split(" ")
            rows.append({"end": float(v[0]), "us": round(float(v[1]) * 1e6), "status": int(v[3]),
                         "route": v[4] + " " + v[5].split("?")[0], "pid": int(v[7]),
                         "start": float(v[0]) - float(v[1])})
    return rows


def php_log(path):
    """Rows of the classroom's php-access.log; there is no time better than the second."""
    rows = []
    with open(path) as f:
        for line in f:
            m = re.match(r"(\S+) (\d+) \S+ \d+ (\d+) (\d+) (\S+) ([^?\s]+)", line)
            if m and "/fpm-status" not in line:
                rows.append({"us": int(m[2]), "status": int(m[3]), "pid": int(m[4]),
                             "route": m[5] + " " + m[6], "second": m[1]})
    return rows


def check_walls(requests, end_s_max, name):
    """No request is longer than the run, or ends after it."""
    wrong = [r for r in requests if end_s(r) > end_s_max]
    ok(requests and not wrong, name, len(wrong), *[brief(r) for r in wrong[:3]])
    wrong = [(brief(r), c) for r in requests for c in r["calls"]
             if r["open"] and c["start_us"] + c["wall_us"] > r["wall_us"] + 1000]
    ok(not wrong, name + ", nor does a call of one that is open", len(wrong), *wrong[:3])


def pair(log, found, near_s):
    """Pairs rows of the same (pid, route, status) whose ends are within near_s, those first that
    are most alike. Returns (pairs, log rows without tardy's, tardy's rows without a log row)."""
    groups = defaultdict(list)
    for j, r in enumerate(found):
        groups[(r["pid"], r["route"], r["status"])].append(j)
    costs = []
    for i, row in enumerate(log):
        for j in groups[(row["pid"], row["route"], row["status"])]:
            late = abs(end_s(found[j]) - row["end"])
            if late <= near_s:
                costs.append((late + abs(start_s(found[j]) - row["start"]), i, j))
    mine, theirs = {}, {}
    for _, i, j in sorted(costs):
        if i not in mine and j not in theirs:
            mine[i], theirs[j] = j, i
    return ([(log[i], found[j]) for i, j in mine.items()],
            [row for i, row in enumerate(log) if i not in mine],
            [r for j, r in enumerate(found) if j not in theirs])
