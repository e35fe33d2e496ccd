# SPDX-License-Identifier: GPL-2.0-only
"""Checks of owners.sh.

owners_check.py lasting REPORT NAME WEB STORE    each request of the web server made one call
owners_check.py outside REPORT NAME WEB STORE    the web server also calls for nobody
owners_check.py unknown REPORT NAME WEB STORE    whose calls the web server makes cannot be known
owners_check.py proxy REPORT NAME PROXY SERVER   the proxy passes on what it reads, later
"""
import sys

from facts import brief, end_s, kind, load, ok, own_us, start_s


def lasting(path, name, web, store):
    """The store sleeps for /slow and computes for /fast: so each callee says whose it is."""
    rows = kind(load(path), "request")
    pages = {r["id"]: r for r in rows if r["pid"] == int(web)}
    served = [r for r in rows if r["pid"] == int(store)]
    wrong, children = [], {}
    for r in served:
        page = pages.get(r["parent"])
        if not page:
            continue
        children.setdefault(page["id"], []).append(r)
        slept = own_us(r, "sleep", "runq") > 20000    # a switch that the kernel does not tell of
        if slept != (page["route"] == "GET /slow") or not start_s(page) <= start_s(r) <= end_s(page):
            wrong.append((brief(page), brief(r)))
    alone = [r for r in pages.values() if len(children.get(r["id"], [])) != 1]
    ok(len(pages) >= 50, "%s: there were requests (%d)" % (name, len(pages)))
    ok(not wrong, "%s: none of %d callees is joined to another call" % (name, len(served)),
       len(wrong), *wrong[:3])
    # of a connection older than tardy, the first exchange may have begun before
    ok(len(alone) <= 1, "%s: each request has its callee" % name, len(alone), *map(brief, alone[:3]))
    ok(not [r for r in served if r["entry"]], "%s: no callee is an entry request" % name)


def outside(path, name, web, store):
    rows = kind(load(path), "request")
    served = [r for r in rows if r["pid"] == int(store)]
    entry = [r for r in rows if r["entry"]]
    alone = [r for r in served if not r["parent"]]
    ok(len(alone) >= 50, "%s: the store was asked outside of requests (%d of %d)" %
       (name, len(alone), len(served)))
    ok(not [r for r in served if r["entry"]], "%s: no callee is an entry request" % name,
       *[brief(r) for r in served if r["entry"]][:3])
    ok(entry and not [r for r in entry if r["pid"] != int(web)],
       "%s: entry requests are the visitors' (%d)" % (name, len(entry)))


def unknown(path, name, web, store):
    """Each call that was found to be nobody's is counted, and no other one."""
    rows = load(path)
    health = kind(rows, "health")[0]
    served = [r for r in kind(rows, "request") if r["pid"] == int(store)]
    alone = [r for r in served if not r["parent"]]
    told = health.get("unbound_calls", [])
    calls, us = sum(u["calls"] for u in told), sum(u["us"] for u in told)
    wall = sum(r["wall_us"] for r in alone)
    ok(len(alone) >= 50, "%s: whose most calls are cannot be known (%d of %d)" %
       (name, len(alone), len(served)))
    # of a connection that is still open, the last one may be seen by one end only
    ok(alone and abs(calls - len(alone)) <= 4, "%s: they are counted" % name, calls, len(alone))
    ok(wall <= us < 2 * wall, "%s: with the time that they took" % name, us, wall)
    services = {r["service"] for r in served}
    ok(told and {u["peer"] for u in told} == services, "%s: and who was asked" % name, told, services)


def proxy(path, name, front, back):
    """What the proxy passes on has the path that it read; each visitor's is its own."""
    rows = kind(load(path), "request")
    fronts = {r["id"]: r for r in rows if r["pid"] == int(front)}
    backs = [r for r in rows if r["pid"] == int(back)]
    wrong, count = [], {}
    for r in backs:
        page = fronts.get(r["parent"])
        if not page:
            continue
        count[page["id"]] = count.get(page["id"], 0) + 1
        if page["route"] != r["route"] or not start_s(page) <= start_s(r) <= end_s(page):
            wrong.append((brief(page), brief(r)))
    alone = [r for r in fronts.values() if count.get(r["id"]) != 1]
    ok(len(fronts) >= 50, "%s: there were requests (%d)" % (name, len(fronts)))
    ok(not wrong, "%s: none of %d calls belongs to another request" % (name, len(backs)),
       len(wrong), *wrong[:3])
    ok(len(alone) <= 0.01 * len(fronts), "%s: each request has its call" % name, len(alone),
       *map(brief, alone[:3]))


def renamed(path, name, own, other):
    """What one server serves is asked for under the name that it has, what the other one serves never."""
    rows = kind(load(path), "request")
    fronts = {r["id"]: r for r in rows if r["entry"]}
    wrong, count = [], {}
    for r in rows:
        page = fronts.get(r["parent"])
        if not page or r["pid"] not in (int(own), int(other)):
            continue
        count[page["id"]] = count.get(page["id"], 0) + 1
        if (page["route"] == r["route"]) != (r["pid"] == int(own)):
            wrong.append((brief(page), brief(r)))
    asked = [r for r in fronts.values() if r["route"] == "GET /slow-a"]
    alone = [r for r in asked if count.get(r["id"]) != 1]
    ok(len(asked) >= 20 and len(fronts) >= 200, "%s: there were requests (%d, %d of the name)" %
       (name, len(fronts), len(asked)))
    ok(not wrong, "%s: no call belongs to another request" % name, len(wrong), *wrong[:3])
    ok(len(alone) <= 0.02 * len(asked), "%s: who asks for it by its name has one call" % name,
       len(alone), *map(brief, alone[:3]))


if __name__ == "__main__":
    {"lasting": lasting, "outside": outside, "unknown": unknown,
     "proxy": proxy, "renamed": renamed}[sys.argv[1]](*sys.argv[2:])
