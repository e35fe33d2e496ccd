# SPDX-License-Identifier: GPL-2.0-only
"""A WSGI application of pools.sh: 150 ms for each page. $POOLS_LOG gets the path, when a thread had
it and when it had slept (CLOCK_MONOTONIC)."""
import os
import time

log = open(os.environ["POOLS_LOG"], "a", buffering=1)


def app(environ, start_response):
    taken = time.monotonic_ns()
    time.sleep(0.15)
    log.write("%s %d %d\n" % (environ["PATH_INFO"], taken, time.monotonic_ns()))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
