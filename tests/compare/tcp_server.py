# SPDX-License-Identifier: GPL-2.0-only
"""tcp_server.py PORT UPSTREAM-HOST UPSTREAM-PORT LOG: asks the upstream for each request and logs
its own clock (monotonic ns) around that. GET /kept uses one connection, GET /fresh a new one."""
import http.server
import json
import socket
import sys
import time

port, host, upstream_port, log = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), open(sys.argv[4], "w")
ASK = b"GET /c/sleep=2000?id=0 HTTP/1.1\r\nHost: x\r\n\r\n"
now = time.monotonic_ns


kept = socket.create_connection((host, upstream_port))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        s = kept if self.path == "/kept" else socket.socket()
        # the call begins with connect(): looking the address up and making the socket are the
        # caller's own work
        t0 = now()
        if s is not kept:
            s.connect((host, upstream_port))
        t1 = now()
        s.sendall(ASK)
        answer = s.recv(4096)
        while not answer.endswith(b"ok\n"):
            answer += s.recv(4096)
        t2 = now()
        if s is not kept:
            s.close()
        print(json.dumps({"path": self.path, "connect_us": (t1 - t0) / 1000,
                          "call_us": (t2 - t1) / 1000}), file=log, flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
