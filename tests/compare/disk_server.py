# SPDX-License-Identifier: GPL-2.0-only
"""disk_server.py PORT DEVICE [LOG N]: answers one request after the other, each with one transfer of
the device, past the page cache: GET /read (256 KiB) or GET /sync (64 KiB written, then a flush). With
a LOG, a thread for each connection, of which N read together, 512 KiB each (of so many pages the
device makes one transfer still), and a line for each request: the thread and the first sector. Without
one nobody may take the processor from it between a transfer's begin and its sleep, or that would be run
queue for tardy and the device's time for the device."""
import http.server
import mmap
import os
import random
import sys
import threading

log = open(sys.argv[3], "w") if len(sys.argv) > 3 else None
READ, WRITE = 524288 if log else 262144, 65536
together = threading.Barrier(int(sys.argv[4]), timeout=30) if log else None
device = os.open(sys.argv[2], os.O_RDWR | os.O_DIRECT)
size = os.lseek(device, 0, os.SEEK_END)
buffer = mmap.mmap(-1, READ)    # aligned
blocks = list(range(size // READ))
random.Random(1).shuffle(blocks)    # each block once, so that no layer below has it in memory


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        at = blocks.pop() * READ
        if log:
            print(threading.get_native_id(), at // 512, file=log, flush=True)
            together.wait()
        if self.path == "/read":
            os.preadv(device, [buffer], at)
        else:
            os.pwritev(device, [memoryview(buffer)[:WRITE]], at)
            os.fdatasync(device)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


if not log:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
kind = http.server.ThreadingHTTPServer if log else http.server.HTTPServer
kind(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
