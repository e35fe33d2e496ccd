# SPDX-License-Identifier: GPL-2.0-only
"""A command for `tardy record -- CMD`: serves two requests of its own and ends with a status."""
import http.client
import http.server
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for path in ("/first", "/second"):
    client = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    client.request("GET", path)
    client.getresponse().read()
    client.close()
sys.exit(int(sys.argv[1]))
