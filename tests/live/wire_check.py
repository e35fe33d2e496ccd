# SPDX-License-Identifier: GPL-2.0-only
"""Compares tardy's requests with what wire_client.py expects:
wire_check.py REPORT EXPECTED NGINX-PIDS PHP-PIDS PYTHON-PIDS"""
import json
import sys

from facts import brief, check_sums, check_unknown, kind, load, ok

rows = load(sys.argv[1])
requests = kind(rows, "request")
with open(sys.argv[2]) as f:
    expected = json.load(f)
pids = dict(zip(("nginx", "php-fpm", "python"),
                ([int(p) for p in a.split(",")] for a in sys.argv[3:6])))


def fits(r, e):
    return (r["pid"] in pids[e["service"]] and r["route"] == e["route"] and
            r["method"] == e["method"] and not r["incomplete"] and not r["open"] and
            (r["status"] == e["status"] or e["status"] is None) and
            r["aborted"] == e.get("aborted", False) and r["error"] == e.get("error", False))


claimed = set()
for e in expected:
    name = "%s %s %s: %d" % (e["service"], e["route"], e["status"], e["count"])
    mine = [r for r in requests if fits(r, e)]
    claimed |= {r["id"] for r in mine}
    alike = [brief(r) for r in requests if r["route"] == e["route"] and r not in mine]
    ok(len(mine) == e["count"], name, len(mine), *alike[:3])
    for r in mine:
        if "wall_min" in e:
            ok(r["wall_us"] >= e["wall_min"], name + ", wall time to the last send", r["wall_us"],
               e["wall_min"])
        if "wall_max" in e:
            ok(r["wall_us"] <= e["wall_max"], name + ", not more than the client saw", r["wall_us"],
               e["wall_max"])
        if "after_min" in e:
            ok(r["after_us"] >= e["after_min"], name + ", what the worker did afterwards",
               r["after_us"])
        if "bytes_out_min" in e:
            ok(r["bytes_out"] >= e["bytes_out_min"], name + ", bytes", r["bytes_out"])
        if "bytes_out_max" in e:
            ok(r["bytes_out"] <= e["bytes_out_max"], name + ", bytes", r["bytes_out"])
        for cause, least in e.get("least", {}).items():
            us = sum(p["us"] for p in r["parts"] if p["cause"] == cause)
            ok(us >= least, name + ", " + cause, us, least, r["parts"])

# leave.php goes on after the client has left; whether its answer is read is nginx's affair
rest = [r for r in requests if r["id"] not in claimed and
        not (r["pid"] in pids["php-fpm"] and r["route"] == "GET /leave.php")]
ok(not rest, "nothing else is a request", len(rest), *[brief(r) for r in rest[:6]])
by_id = {r["id"]: r for r in requests}
for r in requests:
    if r["pid"] in pids["php-fpm"]:
        parent = by_id.get(r["parent"])
        ok(parent is not None and parent["route"] == r["route"] and not r["entry"],
           "php-fpm's %s is joined to nginx's" % r["route"], r["parent"], brief(r),
           parent and brief(parent))
check_sums(requests, "parts sum to the wall time for each request")
check_unknown(requests, "at most 1 % of the wall time is unknown")
health = kind(rows, "health")[0]
ok(health["lost"] == 0, "no record is lost", health["lost_by_kind"])
