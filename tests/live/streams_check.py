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

# ---- in no figure ---------------------------------------------------------------------------
marked = [r for r in routes if r["route"] in ("(http/2)", "(websocket)")]
ok(len(marked) >= 5, "each has a row", [r["route"] for r in routes])
for r in marked:
    ok(r["multiplexed"] and not r["requests"] and not r["p99_us"] and not r["wait_s_per_s"] and
       not r["in_flight"], "%s of %s is in no figure" % (r["route"], r["service"]), r)
plain = {"GET /slow", "GET /ws", "GET /h2c"}
known = [r for r in requests if r["route"] not in plain and not r.get("multiplexed")]
ok(not known, "nothing else is a request", *[brief(r) for r in known[:5]])
summary = kind(report, "summary")[0]
counted = [r for r in requests if not r.get("multiplexed") and r["entry"]]
ok(summary["requests"] == len([r for r in counted if not r["open"]]),
   "the header counts what was a request", summary["requests"], len(counted))
waited = summary["wait_s_per_s"] * report[0]["window_us"]
asked = sum(r["wall_us"] for r in counted)
ok(abs(waited - asked) < 0.1 * asked + SLACK_US, "and its waiting", waited, asked)
