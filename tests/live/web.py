# SPDX-License-Identifier: GPL-2.0-only
"""What the servers in Python share."""
import http.server


def server(port, work, body=b"ok", kind=http.server.ThreadingHTTPServer):
    """A web server whose pages work(path), and are sent at once. The caller lets it serve."""
    class Page(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            work(self.path)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

        def log_message(self, *_):
            pass

    return kind(("127.0.0.1", int(port)), Page)
