# SPDX-License-Identifier: GPL-2.0-only
"""disk_phases_check.py DISK N DIR: what each of N transfers spent in the queue and in the device.

The kernel's trace events (insert, issue, complete) and tardy's programs sit at the same places and
read the same clock, one after the other: TWICE_US lies between. What tardy reports may differ by more
  - upwards, by the phases below 2 % of a wait, which it counts with the wait's largest (SHARE);
  - downwards in the phase that comes first, because its wait begins when the thread goes to sleep,
    which is after the insert. That is some microseconds (EACH_US, as in disk_check.py), and all of
    the time that the thread waited for a processor in between, which is runq.
So no phase may be longer than the kernel's. Both together are shorter by EACH_US at the median, and in
the sum when what is runq is added. In the device it is not shorter either, where the thread slept
before the transfer was issued. FEW are left out of what each has to fulfil: an interrupt, or the
hypervisor, can come between two programs at one event; and those whose time of issue was overwritten
by another transfer's, which tardy counts (io_slot).

A wait whose switch or wakeup was not seen, or whose time of issue was overwritten (all counted) has no
phases, nor has a thread that never slept: the transfer was done before. They must be few, and are left
out.
"""
import statistics
import sys
from collections import defaultdict

from clocks import head, histograms, row, row_between
from facts import check_sums, check_unknown, kind, load, ok, own_us

disk, count, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
EACH_US, TWICE_US, SHARE, FEW, NO_PHASE = 40, 5, 0.02, 0.01, 0.05
PHASES = (("queue", "queued", "insert", "issue"), ("device", "in device", "issue", "complete"))
READ, READ_MS = 0, 3    # fields of /sys/block/*/stat


def lines(name):
    with open("%s/%s" % (folder, name)) as f:
        return [line.split() for line in f]


def disk_us(request, phase=None):
    """Of its waits for the disk, those in a phase; its name is followed by that of the file."""
    return sum(p["us"] for p in request["parts"] if p["cause"] == "disk" and
               (not phase or str(p["what"]).split(":")[0] == "%s read %s" % (disk, phase)))


events = defaultdict(dict)
seen = defaultdict(int)
for seconds, event, sector, _ in lines("events"):
    events[int(sector)][event] = float(seconds) * 1e6
    seen[event] += 1
rows = load(folder + "/report")
requests = sorted((r for r in kind(rows, "request") if r["route"] == "GET /read"),
                  key=lambda r: int(r["start_unix_us"]))
mine, theirs = defaultdict(list), defaultdict(list)
for r in requests:
    mine[r["tid"]].append(r)
for tid, sector in lines("own"):
    theirs[int(tid)].append(events[int(sector)])
# a thread answers one request after the other
pairs = [(r, e) for tid in theirs for r, e in zip(mine[tid], theirs[tid]) if len(e) == 3]
lost = kind(rows, "health")[0]["lost_by_kind"]
every = pairs
pairs = [(r, e) for r, e in every if disk_us(r, "queued") + disk_us(r, "in device")]
without = [(r, e) for r, e in every if not disk_us(r, "queued") + disk_us(r, "in device")]
dark = [r for r, _ in without if disk_us(r)]
print("# %d of %d waits have no phases, %d threads did not sleep; not seen: %s" %
      (len(dark), count, len(without) - len(dark), lost))
ok(len(requests) == count and len(every) == count, "each request is found, and its transfer",
   len(requests), len(every))
ok(len(without) <= NO_PHASE * count, "nearly each has phases", len(without))
unseen = sum(lost.get(k, 0) for k in ("wake_lost", "switch_lost", "io_slot"))
ok(len(dark) <= unseen, "each has, but those whose switch, wakeup or time of issue was not seen",
   len(dark), lost)
ok(dict(seen) == dict.fromkeys(("insert", "issue", "complete"), count),
   "each transfer was queued, issued and completed once", dict(seen))

few = FEW * count + lost.get("io_slot", 0)
head()
total, kernel = {}, {}
for name, phase, first, last in PHASES:
    own = [e[last] - e[first] for _, e in pairs]
    told = [disk_us(r, phase) for r, _ in pairs]
    total[name], kernel[name] = sum(told), sum(own)
    row("trace events", "%s, sum" % name, sum(own), sum(told))
    row("trace events", "%s, median" % name, statistics.median(own), statistics.median(told))
    row("trace events", "%s, longest" % name, max(own), max(told))
    apart = sorted(t - o for o, t in zip(own, told))
    print("#   each, tardy's less the kernel's: least %.0f us, median %.0f us, most %.0f us" %
          (apart[0], statistics.median(apart), apart[-1]))
    more = [(t, round(o), disk_us(r)) for (r, _), o, t in zip(pairs, own, told)
            if t > o + TWICE_US + SHARE * disk_us(r)]
    ok(len(more) <= few, "%s: of no transfer is it longer than the kernel says" % name,
       len(more), *more[:5])
late = [e["complete"] - e["insert"] - disk_us(r, "queued") - disk_us(r, "in device") for r, e in pairs]
awake = sum(min(v, own_us(r, "runq")) for v, (r, _) in zip(late, pairs) if v > EACH_US)
print("#   %.0f us of them before the thread slept, %.0f us of these it waited for a processor" %
      (sum(late), awake))
ok(abs(statistics.median(late)) <= EACH_US, "the median of both is the kernel's",
   statistics.median(late))
ok(abs(sum(late) - awake) <= EACH_US * count, "the sum of both is the kernel's", sum(late), awake)
ok(min(kernel.values()) >= 200 * count, "transfers spent time in both", kernel)
slept = [(r, e) for r, e in pairs if disk_us(r, "queued")]
less = [(disk_us(r, "in device"), round(e["complete"] - e["issue"]), disk_us(r)) for r, e in slept
        if disk_us(r, "in device") < e["complete"] - e["issue"] - TWICE_US - SHARE * disk_us(r)]
ok(len(slept) >= count / 2 and len(less) <= few,
   "device: nor is it shorter, of those that waited in the queue", len(slept), len(less), *less[:5])
print("#   %d waited in the queue" % len(slept))

left = {"device": sum(e["complete"] - e["issue"] for _, e in without),
        "both": sum(e["complete"] - e["insert"] for _, e in without)}
both = sum(total.values()) + left["both"]    # the other tools have these
a, b = ([int(v) for v in lines(name)[0]] for name in ("before", "after"))
ok(b[READ] - a[READ] == count, "the device counted as many", b[READ] - a[READ])
device = (b[READ_MS] - a[READ_MS]) * 1000
slack = EACH_US * count + 1000    # the counter has whole milliseconds
row("/sys/block stat", "queue + device, sum", device, both)
ok(abs(both + awake - device) <= slack, "both are the device's own time", both, awake, device)
for tool, file, what, us in (("biolatency", "service", "device", total["device"] + left["device"]),
                             ("biolatency -Q", "biolatency", "queue + device", both)):
    found = histograms("%s/%s" % (folder, file), "(disk)").get("")
    # (why it may miss some: disk_check.py)
    ok(found and 0.9 * count <= found.count <= count, "%s saw nine of ten transfers, or more" % tool,
       found and found.count)
    if found:
        low, high = (v * count / found.count for v in (found.low, found.high))
        row_between(tool, "%s, sum" % what, low, high, us)
        ok(low - slack - awake <= us <= high + slack, "%s: %s is its time" % (tool, what), low, us,
           high)
check_sums(requests, "parts sum to the wall time")
check_unknown(requests, "at most 1 % is unknown")
