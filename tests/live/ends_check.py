# SPDX-License-Identifier: GPL-2.0-only
"""Compares tardy's requests with what ends_client.py saw: ends_check.py REPORT ROWS SERVER PROXY"""
import json
import sys

from facts import brief, kind, load, ok

SLACK_US = 150000  # a reader on a busy machine; what is looked for is seconds

server, proxy = {int(sys.argv[3])}, {int(p) for p in sys.argv[4].split(",")}
requests = [r for r in kind(load(sys.argv[1]), "request") if r["pid"] in server | proxy]
with open(sys.argv[2]) as f:
    expected = json.load(f)
left = sorted(requests, key=lambda r: int(r["start_unix_us"]))
for e in expected:
    proxied = "proxied" in e
    mine = [r for r in left if r["route"] == e["route"] and (r["pid"] in proxy) == proxied][:1]
    name = e["route"] + (" of the proxy" if proxied else "")
    ok(mine and mine[0]["status"] == e["status"], name + " is found with its status",
       *[brief(r) for r in left[:3]])
    if not mine:
        continue
    r = mine[0]
    left.remove(r)
    # one whose end is out of sight is said to be so, and takes at least what was in sight
    us = e.get("end_unseen", e["us"])
    ok(abs(r["wall_us"] - us) < e.get("slack_us", SLACK_US), name + " takes as long as it did",
       r["wall_us"], us, r["parts"])
    ok(r.get("end_unseen", False) == ("end_unseen" in e), name + ", whether its end was told", r)
    ok(r.get("multiplexed", False) == e.get("multiplexed", False), name + ", whether multiplexed",
       r)
    ok(not r["aborted"] and not r["error"] and not r["stream"] and not r["incomplete"],
       name + " is whole, and no stream", r)
    ok(r["after_us"] < SLACK_US, name + ", nothing was done after it", r["after_us"])
    ok(r.get("client") == e.get("client"), name + " names the proxy's client", r.get("client"))
    if proxied:
        calls = [c["wall_us"] for c in r["calls"]]
        ok(len(calls) == 1 and abs(calls[0] - us) < SLACK_US, name + " is one call as long", calls)
    if "bytes_in" in e:
        ok(r["bytes_in"] == e["bytes_in"], name + " has its bytes", r["bytes_in"], e["bytes_in"])
    if "cause" in e:
        us = sum(p["us"] for p in r["parts"] if p["cause"] == e["cause"])
        ok(us > 0.8 * r["wall_us"], "%s is %s" % (name, e["cause"]), r["parts"])
ok(not left, "nothing else is a request", len(left), *[brief(r) for r in left[:5]])
