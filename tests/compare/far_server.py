# SPDX-License-Identifier: GPL-2.0-only
"""far_server.py HOST PORT LOG [UPSTREAM]: GET /big answers with much, all but its last byte at once; that
follows when the rest has arrived long since and ss has been asked. GET /call sends as much to UPSTREAM
(host:port, one of these too) on a connection of its own, and leaves that open. LOG has a line for each,
its path and the port of the other end, or of this end of the connection to UPSTREAM, and LOG.ss what
ss said."""
import http.client
import http.server
import subprocess
import sys
import time

SIZE, REST_S = 300000, 0.5
log = open(sys.argv[3], "w")
upstreams = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def do_GET(self):
        port, size = self.client_address[1], SIZE
        if self.path == "/call":
            c = http.client.HTTPConnection(sys.argv[4])
            c.request("POST", "/take", bytes(SIZE))
            c.getresponse().read()
            upstreams.append(c)
            port, size = c.sock.getsockname()[1], 2
        print(self.path, port, file=log, flush=True)
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(bytes(size - 1))
        if self.path == "/big":
            time.sleep(REST_S)
            with open(sys.argv[3] + ".ss", "a") as f:
                subprocess.run(["ss", "-tinH", "sport = :%s and dport = :%d" % (sys.argv[2], port)],
                               stdout=f)
        self.wfile.write(bytes(1))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
