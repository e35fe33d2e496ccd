# SPDX-License-Identifier: GPL-2.0-only
"""disk_check.py PATH N REPORT BEFORE AFTER BIOLATENCY: one device's own time against tardy's disk.

The device's clock runs from when a transfer is made until it is completed. tardy's runs from when the
thread goes to sleep, which is later, until the completion wakes it. Twelve to eighteen microseconds
were seen; EACH_US is the bound. (The server runs ahead of all others: it sleeps when it would.) A flush
is made by an empty write, whose time has the flush in it.
"""
import sys

from clocks import head, histograms, row, row_between
from facts import check_sums, check_unknown, kind, load, ok, own_us

path, count = sys.argv[1], int(sys.argv[2])
report, before, after, biolatency = sys.argv[3:]
EACH_US = 40
READ, WRITE, FLUSH = (0, 3), (4, 7), (15, 16)    # fields of /sys/block/*/stat: transfers, ms


def stat(file):
    with open(file) as f:
        return [int(v) for v in f.read().split()]


a, b = stat(before), stat(after)
done = {k: (b[n] - a[n], (b[ms] - a[ms]) * 1000)
        for k, (n, ms) in (("read", READ), ("write", WRITE), ("flush", FLUSH))}
rows = load(report)
requests = [r for r in kind(rows, "request") if r["route"] == "GET " + path]
disk = sum(own_us(r, "disk") for r in requests)
device = done["read"][1] + done["write"][1]
wanted = (count, 0, 0) if path == "/read" else (0, 2 * count, count)
transfers = sum(wanted[:2])
slack = EACH_US * transfers + 1000    # the counter has whole milliseconds
seen = histograms(biolatency, "(disk)").get("")
if seen:
    seen.high *= transfers / seen.count
head()
row("/sys/block stat", path, device, disk)
if seen:
    row_between("biolatency -Q", path, seen.low, seen.high, disk)
print("#   %s; %d requests, disk %.0f us each" %
      (", ".join("%d %s %d us" % (n, k, us) for k, (n, us) in done.items() if n), len(requests),
       disk / max(len(requests), 1)))
ok(len(requests) == count, "%s: each request is found" % path, len(requests))
dry = sum(own_us(r, "disk") == 0 for r in requests)
ok(dry <= count / 50, "%s: each (but 2 %%) waits for the disk" % path, dry)
ok(tuple(n for n, _ in done.values()) == wanted, "%s: the device counted as many" % path, done)
ok(abs(disk - device) <= slack, "%s: disk is the device's own time" % path, disk,
   device, slack)
# (it leaves out one whose clocks on two processors went backwards, and one whose hook was hit while
# it ran for another transfer of the host; those that are missing count as the others do)
ok(seen and 0.9 * transfers <= seen.count <= transfers, "%s: biolatency saw nine of ten transfers, or more" % path,
   seen and seen.count, done)
ok(seen and seen.low - slack <= disk <= seen.high + slack, "%s: disk is biolatency's time" % path,
   disk, seen and (seen.low, seen.high))
check_sums(requests, "%s: parts sum to the wall time" % path)
check_unknown(requests, "%s: at most 1 %% is unknown" % path)
