# SPDX-License-Identifier: GPL-2.0-only
"""tcp_rtt_check.py DIR N DELAY_US PORT UPSTREAM-PORT: TCP's smoothed round trip, its variation and the
segments that it sent again, by ss and by tardy, for N big answers and N calls, a connection each.

Both read the same fields of the connection, but not at the same moment, so that they agree to ss's last
digit (1 us) if the connection was at rest in between. After a call it is: the upstream answers when it
has all of the call, so that the last acknowledgement is there before tardy's record. An answer's record
is written 2 ms after the last send or some more, and the last byte's acknowledgement, one more measured
round trip, comes before or after that. So tardy's figures are those that ss saw before the last byte
was sent, or those at the end, together. The path loses only big packets: that byte is sent once.
"""
import json
import re
import statistics
import sys

from clocks import head, row
from facts import check_sums, check_unknown, kind, load, ok

folder, count, delay = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
server, upstream = sys.argv[4:]
LAST_US = 1


def ss(name):
    """{ports: (srtt us, rttvar us, segments sent again)}, two lines for each connection."""
    with open("%s/%s" % (folder, name)) as f:
        lines = f.read().splitlines()
    found = {}
    for ends, facts in zip(lines[::2], lines[1::2]):
        ports = " ".join(re.findall(r":(\d+)\b", ends))
        rtt = re.search(r"\srtt:([0-9.]+)/([0-9.]+)", facts)
        again = re.search(r"\sretrans:\d+/(\d+)", facts)    # not there when it is none
        found[ports] = (float(rtt[1]) * 1000, float(rtt[2]) * 1000, int(again[1]) if again else 0)
    return found


def same(mine, theirs):
    """None is not told."""
    return all(a is None or abs(a - b) <= LAST_US for a, b in zip(mine[:2], theirs)) and \
        mine[2] == theirs[2]


at_end, before_last = ss("ss"), ss("own.ss")
with open(folder + "/lost") as f:
    lost = json.load(f)
with open(folder + "/own") as f:
    own = [line.split() for line in f]
rows = load(folder + "/report")
requests = sorted(kind(rows, "request"), key=lambda r: int(r["start_unix_us"]))
head()


def compare(path, ends, mine, seen):
    """mine: (srtt, rttvar or None, segments) of each in order, seen: of each what ss saw, and when.
    (The two network namespaces may use the same port: both ends' together are one connection.)"""
    ports = [ends % port for p, port in own if p == path]
    ok(len(mine) == count and len(ports) == count and all(k in v for k in ports for v in seen),
       "%s: each is found, and ss knows its connection" % path, len(mine), ports)
    theirs = [[v[k] for v in seen] for k in ports]
    # (the one that it is nearest to)
    near = [min(t, key=lambda v: (m[2] != v[2], abs((m[0] or 0) - v[0]))) for m, t in zip(mine, theirs)]
    for i, name in enumerate(("round trip", "its variation")):
        told = [(m[i], n[i]) for m, n in zip(mine, near) if m[i] is not None]
        if told:
            for what, of in (("median", statistics.median), ("most", max)):
                row("ss", "%s %s, %s" % (path, name, what), of(n for _, n in told), of(m for m, _ in told))
            print("#   each, tardy's less that of ss: %.1f .. %.1f us" %
                  (min(m - n for m, n in told), max(m - n for m, n in told)))
    again = sum(m[2] for m in mine)
    row("ss", "%s segments sent again" % path, sum(n[2] for n in near), again, "")
    row("the path", "%s segments lost" % path, sum(lost.get(k, 0) for k in ports), again, "")
    odd = [(k, m, t) for k, m, t in zip(ports, mine, theirs) if not any(same(m, v) for v in t)]
    ok(not odd, "%s: tardy's figures are those of ss" % path, len(odd), *odd[:5])
    # TCP knows no round trip without the path's, both ways
    short = [m for m in mine if m[0] is None or m[0] < 2 * delay]
    ok(not short, "%s: no round trip is shorter than the path" % path, *short[:5])
    silent = [(k, m, lost.get(k, 0)) for k, m in zip(ports, mine) if m[2] < lost.get(k, 0)]
    ok(not silent, "%s: each segment that was lost was sent again" % path, *silent[:5])
    ok(again >= count, "%s: segments were lost" % path, again)


big = [r for r in requests if r["route"] == "GET /big"]
compare("/big", server + " %s", [(r["srtt_us"], r["rttvar_us"], r["retransmits"]) for r in big],
        (before_last, at_end))
calls = [c for r in requests if r["route"] == "GET /call" for c in r["calls"]]
compare("/call", "%s " + upstream, [(c["srtt_us"], None, c["retransmits"]) for c in calls], (at_end,))
check_sums(requests, "parts sum to the wall time")
check_unknown(requests, "at most 1 % is unknown")
