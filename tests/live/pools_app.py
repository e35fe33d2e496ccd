# SPDX-License-Identifier: GPL-2.0-only
"""A WSGI application of pools.sh: 100 ms for each page. $POOLS_LOG gets the path, and when a thread
had it (CLOCK_MONOTONIC)."""
import os
import time

log = open(os.environ["POOLS_LOG"], "a", buffering=1)


def app(environ, start_response):
    log.write("%s %d\n" % (environ["PATH_INFO"], time.monotonic_ns()))
    time.sleep(0.1)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
