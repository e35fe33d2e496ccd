# SPDX-License-Identifier: GPL-2.0-only
"""Asks apps_asgi.py or apps_node.js: apps_client.py PORT ROUTE... Each route alone and by three
visitors at once, on connections that stay."""
import http.client
import sys
import threading
import time

port, routes = int(sys.argv[1]), sys.argv[2:]


def visit(route, times):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(times):
        c.request("GET", route)
        if c.getresponse().read() != b"ok":
            sys.exit("a wrong answer of " + route)
    c.close()


def at_once(*jobs):
    threads = [threading.Thread(target=visit, args=job) for job in jobs]
    for t in threads:
        t.start()
        time.sleep(0.017)  # or their timers end in one turn of the loop: which is whose is not known
    for t in threads:
        t.join()


at_once(*[("/quick", 20)] * 3)  # it serves several at a time: a loop
for route in routes:
    visit(route, 8)
    at_once(*[(route, 8)] * 3)
