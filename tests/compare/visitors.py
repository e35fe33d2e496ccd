# SPDX-License-Identifier: GPL-2.0-only
"""visitors.py PORT THREADS EACH PATH: so many requests, all answered before it ends; prints what they
got, a line each."""
import http.client
import sys
import threading

port, threads, each = (int(v) for v in sys.argv[1:4])
path = sys.argv[4]
bad, bodies = [], []


def visit():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(each):
        c.request("GET", path)
        r = c.getresponse()
        bodies.append(r.read().decode())
        if r.status != 200:
            bad.append(r.status)
    c.close()


all_of_them = [threading.Thread(target=visit) for _ in range(threads)]
for t in all_of_them:
    t.start()
for t in all_of_them:
    t.join()
print("\n".join(bodies))
sys.exit(1 if bad else 0)
