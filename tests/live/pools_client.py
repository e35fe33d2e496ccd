# SPDX-License-Identifier: GPL-2.0-only
"""Visitors of pools.sh: pools_client.py PORT VISITORS ROUNDS PAUSE

So many at once, on a connection each; they ask ROUNDS times, pause, and ask once more. Prints the
path, and when it was asked for and answered (CLOCK_MONOTONIC).
"""
import http.client
import sys
import threading
import time

port, visitors, rounds, pause = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
lines = []


def visit(number):
    c = http.client.HTTPConnection("127.0.0.1", port)
    for i in range(rounds + 1):
        if i == rounds:
            time.sleep(pause)
        path = "/%s-%s" % (chr(ord("a") + number), chr(ord("a") + i))
        start = time.monotonic_ns()
        c.request("GET", path)
        c.getresponse().read()
        lines.append("%s %d %d" % (path, start, time.monotonic_ns()))


threads = [threading.Thread(target=visit, args=(i,)) for i in range(visitors)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("\n".join(lines))
