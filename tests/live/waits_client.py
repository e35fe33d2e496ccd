# SPDX-License-Identifier: GPL-2.0-only
"""Requests to the servers of waits.sh: waits_client.py PORT N PATH... Paths are asked one after
another, N times, each on a lasting connection of its own; those joined by + at once."""
import http.client
import sys
import threading

connections = {}


def ask(path):
    if path not in connections:
        connections[path] = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
    connections[path].request("GET", path)
    connections[path].getresponse().read()


for _ in range(int(sys.argv[2])):
    for group in sys.argv[3:]:
        threads = [threading.Thread(target=ask, args=(path,)) for path in group.split("+")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
