# SPDX-License-Identifier: GPL-2.0-only
"""sched_check.py NAME REPORT BEFORE AFTER RUNQLAT: workers' schedstat and runqlat against tardy.

What a worker does after its last send of a request, until it turns to the next one, is tardy's
`after_us` of the former, in no cause: so much the kernel's figures may be larger (the last one's
has no next one, and is left out). Both sides may
differ by 10 us for each switch: schedstat's clock is stale by as much at a wakeup, and it begins to
count when the thread is enqueued, tardy when its waker says so, which is some microseconds earlier.
"""
import sys

from clocks import head, histograms, row, row_between
from facts import check_sums, kind, load, ok, own_us, start_s

name, report, before, after, runqlat = sys.argv[1:]
STALE_US = 10


def schedstat(path):
    with open(path) as f:
        return {int(v[0]): [int(x) for x in v[1:]] for v in (line.split() for line in f)}


rows = load(report)
requests = [r for r in kind(rows, "request") if r["service"] == "php-fpm"]
first, last = schedstat(before), schedstat(after)
waits = histograms(runqlat, r"pid = (\d+)")
head()
for pid in sorted(first):
    mine = [r for r in requests if r["pid"] == pid]
    run, delay = ((b - a) / 1000 for a, b in zip(first[pid][:2], last[pid][:2]))
    switches = last[pid][2] - first[pid][2]
    cpu = sum(own_us(r, "cpu") for r in mine)
    runq, throttle = sum(own_us(r, "runq") for r in mine), sum(own_us(r, "throttle") for r in mine)
    rest = sum(r["after_us"] for r in sorted(mine, key=start_s)[:-1])
    both = cpu + runq + throttle + rest
    slack = STALE_US * switches + len(mine)
    who = "%s: worker %d" % (name, sorted(first).index(pid) + 1)
    row("schedstat", "%s run" % who, run, cpu)
    row("schedstat", "%s run delay" % who, delay, runq + throttle)
    row("schedstat", "%s run + delay" % who, run + delay, both)
    print("#   of %d requests, %d switches; runq %d us, throttle %d us, after %d us" %
          (len(mine), switches, runq, throttle, rest))
    ok(len(mine) >= 100, "%s: has requests" % who, len(mine))
    ok(cpu - slack <= run <= cpu + rest + slack, "%s: run time is cpu" % who, run, cpu, rest, slack)
    ok(runq + throttle - slack <= delay <= runq + throttle + rest + slack,
       "%s: run delay is runq + throttle" % who, delay, runq, throttle, rest, slack)
    ok(abs(run + delay - both) <= slack, "%s: run time + delay is cpu + runq + throttle + after" % who,
       run + delay, both, slack)
    ok((throttle > 0.1 * delay) == (name == "quota"), "%s: throttle where there is a quota, only" % who,
       throttle)
    seen = waits.get(str(pid))
    ok(seen and abs(seen.count - switches) <= 0.02 * switches + 5,
       "%s: runqlat saw its switches" % who, seen and seen.count, switches)
    if seen:
        row_between("runqlat", "%s sum of delays" % who, seen.low, seen.high, runq + throttle)
        ok(seen.low - slack - rest <= runq + throttle <= seen.high + slack,
           "%s: runqlat's delays are runq + throttle" % who, seen.low, seen.high, runq + throttle)
check_sums(requests, "%s: parts sum to the wall time" % name)
lost = kind(rows, "health")[0]["lost"]
ok(lost == 0, "%s: no record is lost" % name, lost)
