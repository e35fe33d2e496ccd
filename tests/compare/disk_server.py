# SPDX-License-Identifier: GPL-2.0-only
"""disk_server.py PORT DEVICE: answers one request after the other, each with one transfer of the
device, past the page cache: GET /read (256 KiB) or GET /sync (64 KiB written, then a flush)."""
import http.server
import mmap
import os
import random
import sys

READ, WRITE = 262144, 65536
device = os.open(sys.argv[2], os.O_RDWR | os.O_DIRECT)
size = os.lseek(device, 0, os.SEEK_END)
buffer = mmap.mmap(-1, READ)    # aligned
blocks = list(range(size // READ))
random.Random(1).shuffle(blocks)    # each block once, so that no layer below has it in memory


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        at = blocks.pop() * READ
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


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
