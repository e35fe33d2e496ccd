# SPDX-License-Identifier: GPL-2.0-only
"""One visitor of owners.sh: owners_client.py PORT SECONDS GAP"""
import http.client
import random
import sys
import time

port, seconds, gap = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
choice = random.Random(1).choice
end = time.time() + seconds
while time.time() < end:
    c = http.client.HTTPConnection("127.0.0.1", port)
    c.request("GET", choice(["/slow", "/fast"]))
    c.getresponse().read()
    c.close()
    time.sleep(gap)
