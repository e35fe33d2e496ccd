# SPDX-License-Identifier: GPL-2.0-only
"""stacks.py OFF CPU N: folded stacks of N requests /sleep and N /spin, of waits and of samples."""
import sys

from facts import ok

LONG_US = 20000
off, cpu = ([line.rsplit(" ", 1) for line in open(path)] for path in sys.argv[1:3])
n = int(sys.argv[3])


def total(stacks, *words):
    return sum(int(us) for frames, us in stacks if all(w in frames for w in words))


slept = total(off, "GET /sleep", "nanosleep_[k]")
# a switch that the kernel does not report leaves none: one wait in ten at most
ok(0.9 * n * LONG_US <= slept <= 1.2 * n * LONG_US, "each sleep has its frames of the kernel", slept,
   *off[:5])
rest = "[waits below 1 ms, or without a stack]"  # by cause, so that the graph adds up
bare = [frames for frames, _ in off if "_[k]" not in frames and rest not in frames]
ok(not bare, "no wait is without them", *bare[:5])
ok(total(off, "GET /sleep", rest) <= 0.1 * n * LONG_US, "little of it has no stack", *off[:5])
ran = total(cpu, "GET /spin")
ok(ran > total(cpu, "GET /sleep") * 5, "the samples are of what computes", ran, *cpu[:5])
