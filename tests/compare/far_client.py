# SPDX-License-Identifier: GPL-2.0-only
"""far_client.py HOST PORT N PATH: a request on each of N connections, one after the other, then "answered";
the connections stay open until it is ended."""
import http.client
import signal
import sys

host, port, count, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
kept = []
for _ in range(count):
    c = http.client.HTTPConnection(host, port, timeout=30)
    c.request("GET", path)
    r = c.getresponse()
    r.read()
    assert r.status == 200
    kept.append(c)
print("answered", flush=True)
signal.pause()
