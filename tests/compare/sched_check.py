# SPDX-License-Identifier: GPL-2.0-only
"""sched_check.py NAME REPORT BEFORE AFTER PAGES RUNQLAT: workers' time by other clocks.

A request has more in it than its page (FastCGI, PHP's start), and a worker does more than its requests
(it accepts, closes, waits for a CPU when a connection is there but no data yet). So tardy's sum lies
between what the pages say of themselves and what the kernel says of the whole worker.

Each side may differ by 10 us for each switch: schedstat's clock is stale by as much at a wakeup, and
it begins to count when the thread is enqueued, tardy when its waker says so, which is some
microseconds earlier. What a hypervisor or an interrupt took from a running thread is cpu to tardy and
not to the kernel's accounting. A switch that tardy did not see (it counts them) puts the time until the
next one into the wrong state, a timer tick each; they must be few. A wakeup that came before its
thread was off the processor is not seen either: its run queue, mostly short, is booked as blocked.
"""
import os
import sys

from clocks import head, histograms, row_between
from facts import check_sums, kind, load, ok, own_us

name, report, before, after, pages, runqlat = sys.argv[1:]
STALE_US = 10
TICK_US, WAKE_US = 4000, 100
LOST = 0.01
JIFFY_US = 1e6 / os.sysconf("SC_CLK_TCK")


def schedstat(path):
    """Stolen time (us) and {pid: [run, delay (us), switches]}."""
    with open(path) as f:
        stolen = int(f.readline()) * JIFFY_US
        return stolen, {int(v[0]): [int(v[1]) / 1000, int(v[2]) / 1000, int(v[3])]
                        for v in (line.split() for line in f)}


def check(who, what, low, mine, high, *details):
    row_between("page .. worker", "%s %s" % (who, what), low, high, mine)
    ok(low <= mine <= high, "%s: %s is that of the pages, or more, and not more than the worker's" %
       (who, what), low, mine, high, *details)


rows = load(report)
requests = [r for r in kind(rows, "request") if r["service"] == "php-fpm"]
with open(pages) as f:
    own = [[float(x) for x in line.split()] for line in f]
(stolen_a, a), (stolen_b, b) = schedstat(before), schedstat(after)
health = kind(rows, "health")[0]
unseen, unwoken = (health["lost_by_kind"].get(k, 0) for k in ("switch_lost", "wake_lost"))
waits = histograms(runqlat, r"pid = (\d+)")
head()
for number, pid in enumerate(sorted(a), 1):
    mine = [r for r in requests if r["pid"] == pid]
    page = [p for p in own if p[0] == pid]
    page_run, page_delay = sum(p[1] for p in page), sum(p[2] for p in page)
    run, delay, switches = (y - x for x, y in zip(a[pid], b[pid]))
    cpu = sum(own_us(r, "cpu") for r in mine)
    runq, throttle = sum(own_us(r, "runq") for r in mine), sum(own_us(r, "throttle") for r in mine)
    slack = STALE_US * switches + len(mine) + TICK_US * unseen / len(a)
    early = WAKE_US * unwoken / len(a)
    who = "%s: worker %d" % (name, number)
    print("# %s: %d requests, %d switches, runq %d us, throttle %d us; pages: run %d us, delay %d us; "
          "worker: run %d us, delay %d us" % (who, len(mine), switches, runq, throttle, page_run,
                                              page_delay, run, delay))
    ok(len(mine) == len(page) and len(mine) >= 50, "%s: each request is found" % who, len(mine), len(page))
    ok(page_run >= 0.8 * run, "%s: its time is that of its pages" % who, page_run, run)
    check(who, "cpu", page_run - slack, cpu, run + slack + stolen_b - stolen_a)
    check(who, "runq + throttle", page_delay - slack - early, runq + throttle, delay + slack)
    ok((throttle > 0.1 * delay) == (name == "quota"), "%s: throttle where there is a quota, only" % who,
       throttle, delay)
    seen = waits.get(str(pid))
    ok(seen and abs(seen.count - switches) <= 0.02 * switches + 5,
       "%s: runqlat saw its switches" % who, seen and seen.count, switches)
    if seen:
        # its histogram has powers of two; of the worker, less what was not in a page
        low, high = seen.low - (delay - page_delay) - slack - early, seen.high + slack
        row_between("runqlat", "%s runq + throttle" % who, low, high, runq + throttle)
        ok(low <= runq + throttle <= high, "%s: runqlat's delays are runq + throttle" % who, low,
           runq + throttle, high)
check_sums(requests, "%s: parts sum to the wall time" % name)
every = sum(b[pid][2] - a[pid][2] for pid in a)
print("# %s: of %d switches %d were not seen, and %d wakeups" % (name, every, unseen, unwoken))
ok(unseen <= LOST * every, "%s: few switches were not seen" % name, health["lost_by_kind"], every)
ok(health["lost"] == 0, "%s: no record is lost" % name, health["lost_by_kind"])
