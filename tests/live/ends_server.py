# SPDX-License-Identifier: GPL-2.0-only
"""A server of one thread a connection that ends its answers in ways which only the framing tells,
for ends.sh: ends_server.py PORT BIG-FILE"""
import os
import socket
import sys
import threading
import time

COOKIES = b"Set-Cookie: s=" + b"x" * 600 + b"; HttpOnly\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def head(status, fields=b""):
    return b"HTTP/1.1 " + status + b"\r\nServer: x\r\n" + fields + b"\r\n"


def length(n):
    return b"Content-Length: %d\r\n" % n


class Conn:
    def __init__(self, sock):
        self.sock, self.buf = sock, b""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *pieces):
        for p in pieces:
            if isinstance(p, float):
                time.sleep(p)
            else:
                self.sock.sendall(p)

    def more(self):
        d = self.sock.recv(65536)
        self.buf += d
        return d

    def body(self, n):
        while len(self.buf) < n and self.more():
            pass
        self.buf = self.buf[n:]

    def proxy_header(self):
        while len(self.buf) < 16 and self.more():
            pass
        if self.buf.startswith(b"PROXY "):
            self.buf = self.buf.split(b"\r\n", 1)[1]
        elif self.buf.startswith(b"\r\n\r\n\0\r\nQUIT\n"):
            self.body(16 + int.from_bytes(self.buf[14:16], "big"))

    def serve(self):
        self.proxy_header()
        while True:
            while b"\r\n\r\n" not in self.buf:
                if not self.more():
                    self.sock.close()
                    return
            text, self.buf = self.buf.split(b"\r\n\r\n", 1)
            path = text.split(b" ")[1]
            getattr(self, "do_" + path[1:].decode().replace("-", "_"), self.do_ok)()

    def do_ok(self):
        self.send(head(b"200 OK", length(2)) + b"ok")

    # an interim answer with a long head, and the final one in the same send, or in the next
    def do_early(self):
        self.send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"s" * 380 + b">\r\n\r\n" +
                  head(b"200 OK", length(5)) + b"hello")

    def do_early_apart(self):
        self.send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"s" * 3000 + b">\r\n\r\n", 0.3,
                  head(b"200 OK", length(5)) + b"hello")

    def do_trailers(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nhello\r\n", b"0\r\nServer-Timing: db;dur=1\r\n\r\n")

    def do_last_chunk_split(self):
        self.send(head(b"200 OK", COOKIES + CHUNKED) + b"5\r\nhello\r\n", 0.05, b"0\r\n", b"\r\n")

    def do_reset(self):
        self.send(head(b"200 OK", COOKIES + length(5)) + b"hello")

    # bodies that pause
    def do_pause_length(self):
        self.send(head(b"200 OK", length(20)) + b"x" * 10, 1.6, b"y" * 10)

    def do_pause_length_long(self):
        self.send(head(b"200 OK", COOKIES + length(20)) + b"x" * 10, 1.6, b"y" * 10)

    def do_pause_chunks(self):
        self.send(head(b"200 OK", COOKIES + CHUNKED) + b"5\r\nhello\r\n", 1.6,
                  b"5\r\nworld\r\n0\r\n\r\n")

    # bytes of a body that look like something else
    def do_status_line(self):
        b = b"HTTP/1.1 500 Oops\r\nX: y\r\n\r\ntranscript"
        self.send(head(b"200 OK", length(2 * len(b))), b, 0.2, b)

    def do_refused(self):
        self.send(head(b"413 Too Large", length(0)))
        self.body(5000)

    def do_duplex(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nready\r\n")
        self.body(30000)
        self.send(b"4\r\ndone\r\n0\r\n\r\n")

    def do_big(self):
        n = os.path.getsize(sys.argv[2])
        self.send(head(b"200 OK", COOKIES + length(n)))
        with open(sys.argv[2], "rb") as f:
            self.sock.sendfile(f)


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(64)
while True:
    threading.Thread(target=Conn(s.accept()[0]).serve, daemon=True).start()
