#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What handoff.sh needs.

    handoff.py backend PORT        answers each request after WORK_S; may be kept for a second
    handoff.py client PORT         VISITORS at once, each ROUNDS requests, by the first segment of the path:
                                   half of them ask for the same at the same time, the others for their own
    handoff.py check REPORT CACHE  the command name of the cache
"""
import http.client
import http.server
import sys
import threading
import time
from collections import Counter

import facts

VISITORS, ROUNDS, WORK_S = 8, 15, 0.05


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1024    # head and body in one send

    def do_GET(self):
        time.sleep(WORK_S)
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.send_header("Cache-Control", "max-age=1")
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *args):
        pass


def backend(port):
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


def segment(number):
    return "shared" if number < VISITORS // 2 else "own-" + chr(ord("a") + number)


def client(port):
    def visit(number):
        c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        for i in range(ROUNDS):
            c.request("GET", "/%s/%d" % (segment(number), i))
            c.getresponse().read()
            # beyond some 50 ms the cache's thread turns to other work
            time.sleep(0.02 if i % 2 else 0.08)

    threads = [threading.Thread(target=visit, args=(i,)) for i in range(VISITORS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def check(report, cache):
    rows = facts.load(report)
    # where the kernel cannot read a head (its page is being moved, say) it has no name, and is counted
    unread = facts.kind(rows, "health")[0]["lost_by_kind"].get("read_head", 0)
    rows = [r for r in facts.kind(rows, "request") if r["service"] == cache]
    asked = Counter("GET /%s/*" % segment(i) for i in range(VISITORS) for _ in range(ROUNDS))
    other = Counter(r["route"] for r in rows) - asked
    facts.ok(len(rows) == asked.total() and other.total() <= unread and
             all(route.startswith("port ") for route in other), "every request is found, and no other",
             len(rows), asked.total(), unread, other,
             *[facts.brief(r) for r in rows if r["route"] not in asked][:3])
    wall = sum(r["wall_us"] for r in rows)
    held = [p for r in rows for p in r["parts"] if p["held_by"]]
    # its own mutexes are held for microseconds
    facts.ok(rows and sum(p["us"] for p in held) < wall / 100, "nobody is said to hold what others wait for",
             wall, *sorted(held, key=lambda p: -p["us"])[:3])
    calls = [(r["route"], c) for r in rows for c in r["calls"]]
    wrong = [(route, c) for route, c in calls if c["what"] != route]
    facts.ok(calls and not wrong, "a call that has an owner is of who asked for the same", len(calls), *wrong[:3])
    causes = {}
    for r in rows:
        for p in r["parts"]:
            causes[p["cause"]] = causes.get(p["cause"], 0) + p["us"]
    told = sum(causes.get(c, 0) for c in ("ipc", "upstream", "sleep", "unknown"))
    # (sleep: what the backend does in a call)
    facts.ok(told > 0.9 * wall, "they wait for another thread, for the backend, or it is not known", causes)


if __name__ == "__main__":
    {"backend": backend, "client": client, "check": check}[sys.argv[1]](*sys.argv[2:])
