# SPDX-License-Identifier: GPL-2.0-only
"""Visitors of owners.sh.

owners_client.py PORT SECONDS GAP            one, a connection for each request
owners_client.py PORT SECONDS GAP VISITORS   so many at once, on a connection each; each has pages of its own
"""
import http.client
import random
import sys
import threading
import time

port, seconds, gap = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
end = time.time() + seconds


def visit(number):
    choice = random.Random(number).choice
    own = "-" + chr(ord("a") + number) if number is not None else ""
    c = http.client.HTTPConnection("127.0.0.1", port)
    while time.time() < end:
        c.request("GET", choice(["/slow", "/fast"]) + own)
        c.getresponse().read()
        if number is None:
            c.close()
        time.sleep(gap)


if len(sys.argv) > 4:
    visitors = [threading.Thread(target=visit, args=(i,)) for i in range(int(sys.argv[4]))]
    for v in visitors:
        v.start()
    for v in visitors:
        v.join()
else:
    visit(None)
