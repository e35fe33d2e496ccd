# SPDX-License-Identifier: GPL-2.0-only
"""What the servers and visitors in Python share: pages, and connections that are spoken on by hand."""
import http.server
import socket
import threading
import time


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


class Conn:
    """A connection, and what has been received on it and not been taken."""
    def __init__(self, sock):
        self.sock, self.buf = sock, b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def more(self):
        d = self.sock.recv(65536)
        self.buf += d
        return d

    def take(self, n):
        while len(self.buf) < n:
            if not self.more():
                raise EOFError
        out, self.buf = self.buf[:n], self.buf[n:]
        return out


def accept(port, conn):
    """A thread for each connection runs conn(socket).serve()."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    s.listen(64)
    while True:
        threading.Thread(target=conn(s.accept()[0]).serve, daemon=True).start()


def read_slowly(sock, size, pause):
    """Of so many bytes 6 MiB after each of two pauses, then the rest."""
    left = size
    for i in range(3):
        time.sleep(pause if i < 2 else 0)
        want = 6 << 20 if i < 2 else left
        while want > 0:
            n = len(sock.recv(65536))
            if not n:
                return
            want -= n
            left -= n
