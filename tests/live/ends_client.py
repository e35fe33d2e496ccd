# SPDX-License-Identifier: GPL-2.0-only
"""Drives ends_server.py and writes what it saw, a row for each request in order:
ends_client.py PORT ROWS"""
import json
import socket
import struct
import sys
import time

rows = []


class Client:
    def __init__(self, small=False):
        self.s = socket.socket()
        if small:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.s.settimeout(20)
        self.s.connect(("127.0.0.1", int(sys.argv[1])))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, mark):
        b = b""
        while mark not in b:
            d = self.s.recv(65536)
            if not d:
                break
            b += d
        return b

    def get(self, path, mark, status=200, before=b"", **facts):
        start = time.monotonic()
        self.s.sendall(before + b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        self.read(mark)
        self.row("GET", path, status, start, **facts)

    def row(self, method, path, status, start, **facts):
        rows.append(dict(route=method + " " + path.decode(), status=status,
                         us=round((time.monotonic() - start) * 1e6), **facts))

    def close(self, rest=0.1):
        time.sleep(rest)
        self.s.close()


def interim():
    c = Client()
    c.get(b"/early", b"hello")
    time.sleep(1.5)
    c.get(b"/early-apart", b"hello")
    c.get(b"/after-early", b"ok")
    c.close()


def chunks():
    c = Client()
    c.get(b"/trailers", b"dur=1\r\n\r\n")
    time.sleep(1.5)
    c.get(b"/last-chunk-split", b"0\r\n\r\n")
    time.sleep(1.5)
    c.get(b"/after-chunks", b"ok")
    c.close(1.5)
    for _ in range(3):
        c = Client()
        c.get(b"/reset", b"hello")
        c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        c.close(0.01)


def pauses():
    for path in (b"/pause-length", b"/pause-length-long"):
        c = Client()
        c.get(path, b"y" * 10)
        c.close()
    c = Client()
    c.get(b"/pause-chunks", b"0\r\n\r\n")
    c.close()


def bodies():
    c = Client()
    c.get(b"/status-line", b"transcript" + b"HTTP/1.1 500 Oops\r\nX: y\r\n\r\ntranscript")
    c.get(b"/after-status-line", b"ok")
    c.close()
    c = Client()
    start = time.monotonic()
    c.s.sendall(b"POST /refused HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n")
    c.read(b"\r\n\r\n")
    c.row("POST", b"/refused", 413, start)
    time.sleep(0.2)
    c.s.sendall((b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" + b"z" * 5000)[:5000])
    c.close()


def duplex():
    c = Client()
    start = time.monotonic()
    c.s.sendall(b"POST /duplex HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
    c.read(b"ready")
    time.sleep(0.7)
    c.s.sendall(b"b" * 10000)
    time.sleep(0.7)
    c.s.sendall(b"b" * 20000)
    c.read(b"0\r\n\r\n")
    c.row("POST", b"/duplex", 200, start)
    c.get(b"/after-duplex", b"ok")
    c.close()


def slow_reader():
    c = Client(small=True)
    start = time.monotonic()
    c.s.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    left = 30 << 20
    for pause in (1.5, 1.5, 0):
        time.sleep(pause)
        want = left if not pause else 6 << 20
        while want > 0:
            n = len(c.s.recv(65536))
            want -= n
            left -= n
            if not n:
                break
    # what the server's socket holds at the end is sent, but not read
    c.row("GET", b"/big", 200, start, cause="send", slack_us=1000000)
    c.close()


# both versions of a PROXY header, then a request without one on the same connection
def proxied():
    for before, client in (
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\r\n", "192.0.2.1"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" + socket.inet_pton(socket.AF_INET6, "2001:db8::7") +
             bytes(16) + struct.pack("!HH", 5555, 80), "2001:db8::7")):
        c = Client()
        c.get(b"/proxied", b"ok", before=before, client=client)
        c.get(b"/proxied", b"ok", client=client)
        c.close()


for step in (interim, chunks, pauses, bodies, duplex, slow_reader, proxied):
    step()
with open(sys.argv[2], "w") as f:
    json.dump(rows, f)
