# SPDX-License-Identifier: GPL-2.0-only
"""Visitors of work_app.py: work_client.py PORT VISITORS THINK_SECONDS. Each asks for every route six times,
in an order of its own, and thinks before each request."""
import http.client
import random
import sys
import threading
import time

port, visitors, think = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
failed = []


def visit(number):
    order = random.Random(number)
    routes = ["/db", "/cpu", "/nap", "/steps"] * 6
    order.shuffle(routes)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for i, route in enumerate(routes):
        time.sleep(think * (0.5 + order.random()))
        connection.request("GET", "%s?n=%d" % (route, number * 100 + i))
        if connection.getresponse().read() != b"done":
            failed.append(route)
    connection.close()


threads = [threading.Thread(target=visit, args=(i,)) for i in range(visitors)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(bool(failed))
