# SPDX-License-Identifier: GPL-2.0-only
"""Compares tardy's requests with what streams_client.py saw: streams_check.py REPORT ROWS"""
import json
import sys

from facts import brief, kind, load, ok

SLACK_US = 40000  # waking on a busy machine

report = load(sys.argv[1])
requests, routes = kind(report, "request"), kind(report, "route")
with open(sys.argv[2]) as f:
    rows = json.load(f)
service = {"python": "streams_server.py", "ws-older": "streams_server.py"}


def told(name, route):
    return [r for r in requests if r["service"].startswith(service.get(name, name)) and
            r["route"] == route]


# ---- HTTP/2: marked, timed where one is asked at a time, in no figure -----------------------
for name in ("nginx", "node", "python"):
    mine = told(name, "(http/2)")
    ok(mine and all(r["multiplexed"] and r["protocol"] == "http/2" for r in mine),
       name + " speaks HTTP/2, and that is said", len(mine), *[brief(r) for r in requests[:3]])
    alone = [e for e in rows if e["server"] == name and e["kind"] in ("h2", "h2c")]
    walls = sorted(r["wall_us"] for r in mine)
    for e in alone:
        near = [w for w in walls if abs(w - e["us"]) < SLACK_US]
        ok(near, "%s: a call of %d ms took as long" % (name, e["us"] / 1000), walls)
    ok(not [r for r in mine if r["wall_us"] > 2 * max(e["us"] for e in rows)],
       name + ": idle time is nobody's", walls)
    causes = {p["cause"] for r in mine for p in r["parts"]}
    ok(causes == {"unknown"}, name + ": what such turns waited for is not claimed", causes)
upgraded = [r for r in told("python", "GET /h2c")]
ok(len(upgraded) == 1 and upgraded[0]["status"] == 101 and upgraded[0]["multiplexed"],
   "an upgrade to h2c ends there, and its answer is not taken for one", upgraded)

# ---- WebSocket: the upgrade is answered, messages are none of the requests ------------------
for name in ("python", "node"):
    up = told(name, "GET /ws")
    e = [e for e in rows if e["server"] == name and e["kind"] == "ws-upgrade"]
    ok(len(up) == len(e) == 1 and up[0]["status"] == 101 and not up[0]["aborted"] and
       not up[0]["error"] and not up[0]["stream"], name + ": the upgrade is a request", up)
    ok(up and up[0]["wall_us"] < e[0]["us"] + SLACK_US, name + ": which ends with its 101", up, e)
for name in ("python", "node", "ws-older"):
    echoes = [e for e in rows if e["server"] == name and e["kind"].startswith("ws") and
              e["kind"] != "ws-upgrade"]
    mine = [r for r in told(name, "(websocket)")]
    ok(len(mine) >= len(echoes) and all(r["multiplexed"] for r in mine),
       name + ": messages that are answered are told, and marked", len(echoes), mine[:2])

# ---- answers that come bit by bit ------------------------------------------------------------
for e in rows:
    if not e["kind"].startswith("/"):
        continue
    name = "%s%s" % (e["server"], e["kind"])
    mine = told(e["server"], "GET " + e["kind"])
    ok(len(mine) == 1, name + " is found", mine[:3])
    if not mine:
        continue
    r = mine[0]
    slack = 900000 if e["kind"] == "/big" else 150000
    ok(abs(r["wall_us"] - e["us"]) < slack, name + " takes as long as it did", r["wall_us"], e)
    by = {}
    for p in r["parts"]:
        by[p["cause"]] = by.get(p["cause"], 0) + p["us"]
    names = {p["what"] for p in r["parts"] if p["us"] > 0.5 * r["wall_us"]}
    cause = {"/body": "upstream", "/big": "send", "/events": "other"}.get(e["kind"], "sleep")
    ok(by.get(cause, 0) > 0.8 * r["wall_us"], "%s is %s" % (name, cause), r["parts"])
    ok(e["kind"] != "/events" or names == {"stream gap"}, name + " is told as gaps", r["parts"])
    ok(r["stream"] == (e["kind"] in ("/sse", "/events")), name + ": a stream, or none", r["stream"])

# ---- in no figure ---------------------------------------------------------------------------
marked = [r for r in routes if r["route"] in ("(http/2)", "(websocket)")]
ok(len(marked) >= 5, "each has a row", [r["route"] for r in routes])
for r in marked:
    ok(r["multiplexed"] and not r["requests"] and not r["p99_us"] and not r["wait_s_per_s"] and
       not r["in_flight"], "%s of %s is in no figure" % (r["route"], r["service"]), r)
plain = {"GET /slow", "GET /ws", "GET /h2c", "GET /body", "GET /sse", "GET /pause", "GET /big",
         "GET /events", "GET /say"}
known = [r for r in requests if r["route"] not in plain and not r.get("multiplexed")]
ok(not known, "nothing else is a request", *[brief(r) for r in known[:5]])
summary = kind(report, "summary")[0]
counted = [r for r in requests if not r.get("multiplexed") and r["entry"]]
ok(summary["requests"] == len([r for r in counted if not r["open"]]),
   "the header counts what was a request", summary["requests"], len(counted))
waited = summary["wait_s_per_s"] * report[0]["window_us"]
asked = sum(r["wall_us"] for r in counted)
ok(abs(waited - asked) < 0.1 * asked + SLACK_US, "and its waiting", waited, asked)
