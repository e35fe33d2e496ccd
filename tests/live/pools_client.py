# SPDX-License-Identifier: GPL-2.0-only
"""Visitors of pools.sh: pools_client.py PORT VISITORS ROUNDS PAUSE [THINK [NAME]]

So many at once, on a connection each; they ask ROUNDS times and think after each, pause, and ask
once more. Prints the path, NAME and one for each, and when it was asked for and answered
(CLOCK_MONOTONIC).
"""
import http.client
import sys
import threading
import time

port, visitors, rounds, pause = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
think = float(sys.argv[5]) if len(sys.argv) > 5 else 0
name = sys.argv[6] if len(sys.argv) > 6 else ""
lines = []


def visit(number):
    c = http.client.HTTPConnection("127.0.0.1", port)
    for i in range(rounds + 1):
        time.sleep(pause if i == rounds else think if i else 0)
        path = "%s/%s-%s" % (name, chr(ord("a") + number), chr(ord("a") + i))
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
