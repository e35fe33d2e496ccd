# SPDX-License-Identifier: GPL-2.0-only
"""What the comparisons share: the table that they print, and the histograms of libbpf-tools."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))


def head():
    print("# %-18s %-34s %14s %12s %10s" % ("tool", "figure", "the tool's", "tardy's", "difference"))


def row(tool, figure, theirs, mine, unit="us"):
    print("# %-18s %-34s %14.0f %12.0f %+9.2f %%" % (
        tool, "%s, %s" % (figure, unit) if unit else figure, theirs, mine,
        100.0 * (mine - theirs) / theirs if theirs else 0))


def row_between(tool, figure, low, high, mine, unit="us"):
    where = "inside" if low <= mine <= high else "outside"
    print("# %-18s %-34s %14s %12.0f %10s" % (
        tool, "%s, %s" % (figure, unit), "%.0f..%.0f" % (low, high), mine, where))


class Histogram:
    """Powers of two, in whole microseconds: `count` values with a sum between low and high."""

    def __init__(self):
        self.count = self.low = self.high = 0

    def add(self, first, last, count):
        self.count += count
        self.low += first * count
        self.high += (last + 1) * count


def histograms(path, header):
    """{name: Histogram} by the line above each that matches `header`, its group 1 is the name."""
    found, name = {}, ""
    with open(path) as f:
        for line in f:
            m = re.match(header, line)
            if m:
                name = m[1]
            m = re.match(r"\s*(\d+)\s*->\s*(\d+)\s*:\s*(\d+)", line)
            if m:
                found.setdefault(name, Histogram()).add(*map(int, m.groups()))
    return found
