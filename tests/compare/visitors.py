# SPDX-License-Identifier: GPL-2.0-only
"""visitors.py PORT THREADS EACH PATH...: so many requests, all answered before it ends."""
import http.client
import sys
import threading

port, threads, each = (int(v) for v in sys.argv[1:4])
paths = sys.argv[4:]
bad = []


def visit(me):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for i in range(each):
        c.request("GET", paths[(me + i) % len(paths)])
        r = c.getresponse()
        r.read()
        if r.status != 200:
            bad.append(r.status)
    c.close()


all_of_them = [threading.Thread(target=visit, args=(i,)) for i in range(threads)]
for t in all_of_them:
    t.start()
for t in all_of_them:
    t.join()
sys.exit(1 if bad else 0)
