# SPDX-License-Identifier: GPL-2.0-only
"""tcp_check.py REPORT OWN SS PEER: calls by the caller's clock and TCP's, against tardy's.

The caller reads its clock before it sends and after it has received, tardy when the first send
returns and when the last receive does: the caller's figure has the send in it, and some microseconds
of Python. TCP's smallest round trip is a bound from below of every call; its smoothed one is not
compared, because the upstream's kernel acknowledges some requests at once and some with the answer.
"""
import re
import statistics
import sys

from clocks import head, row
from facts import check_sums, check_unknown, kind, load, ok

report, own, ss, peer = sys.argv[1:]
SLEEP_US = 2000    # of the upstream, for each call
rows = load(report)
requests = sorted(kind(rows, "request"), key=lambda r: int(r["start_unix_us"]))
clock = load(own)
text = open(ss).read()
floor = re.search(r"minrtt:([0-9.]+)", text)
head()


def compare(path, count, figure):
    """The server answers one after the other, so that both lists are in the same order."""
    mine = [r for r in requests if r["route"] == "GET " + path]
    theirs = [c for c in clock if c["path"] == path]
    ok(len(mine) == count and len(theirs) == count, "%s: each request is found" % path, len(mine))
    ok(all([c["peer"] for c in r["calls"]] == [peer] for r in mine), "%s: one call each, to %s" %
       (path, peer), mine and mine[0]["calls"])
    walls = [sum(c["wall_us"] for c in r["calls"]) for r in mine]
    own_us = [figure(c) for c in theirs]
    late = sorted(o - w for o, w in zip(own_us, walls))
    row("caller's clock", path + " median", statistics.median(own_us), statistics.median(walls))
    row("caller's clock", path + " sum", sum(own_us), sum(walls))
    # 1 us: tardy's figure is rounded
    ok(late and late[0] >= -1, "%s: no call is longer than the caller saw" % path, late[:3])
    ok(late and late[len(late) // 2] <= max(150, 0.02 * statistics.median(own_us)),
       "%s: the caller's clock agrees within 150 us at the median" % path, late[-5:])
    waited = sum(p["us"] for r in mine for p in r["parts"] if p["cause"] == "upstream")
    # blocked for as long as the upstream sleeps; in the rest of a call it may wait for a CPU itself
    ok(SLEEP_US * len(walls) <= waited <= sum(walls) + 2 * len(walls),
       "%s: the calls are what the requests wait for" % path, waited, sum(walls))
    return walls


walls = compare("/kept", 200, lambda c: c["call_us"])
ok(floor, "ss knows the connection", text)
if floor and walls:
    rtt = float(floor[1]) * 1000
    row("ss minrtt", "/kept shortest call", rtt, min(walls))
    ok(rtt <= min(walls), "no call is shorter than the smallest round trip", rtt, min(walls))
# a call on a fresh connection begins when that is opened
compare("/fresh", 100, lambda c: c["connect_us"] + c["call_us"])
check_sums(requests, "parts sum to the wall time")
check_unknown(requests, "at most 1 % is unknown")
