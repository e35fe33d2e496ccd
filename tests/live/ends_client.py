# SPDX-License-Identifier: GPL-2.0-only
"""Drives ends_server.py and writes what it saw, a row for each request in order:
ends_client.py PORT ROWS PROXY-PORT"""
import json
import socket
import struct
import sys
import time

import web

PROXY_2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" +
           bytes([192, 0, 2, 1, 192, 0, 2, 2, 9, 9, 0, 80]))
rows = []


class Client:
    def __init__(self, small=False, port=None):
        self.s = socket.socket()
        if small:
            self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.s.settimeout(20)
        self.s.connect(("127.0.0.1", int(port or sys.argv[1])))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.left = b""

    # until the mark has come so often
    def read(self, mark, times=1):
        b, self.left = self.left, b""
        while b.count(mark) < times:
            d = self.s.recv(65536)
            if not d:
                break
            b += d
        at = -len(mark)
        for _ in range(times):
            at = b.find(mark, at + len(mark))
        if at >= 0:
            self.left = b[at + len(mark):]
        return b

    def get(self, path, mark, status=200, before=b"", times=1, **facts):
        start = time.monotonic()
        self.s.sendall(before + b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        self.read(mark, times)
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


# What looks like a body's end is chunks' data; where they do end nobody has to wait for more.
def chunks_far():
    c = Client()
    for path in (b"/fake-end", b"/fake-end-apart", b"/fake-end-long-head", b"/fake-end-longest-head",
                 b"/fake-end-head-split", b"/fake-end-extension", b"/fake-end-many"):
        c.get(path, b"0\r\n\r\n", times=2)
        c.get(b"/after-fake-end", b"ok")
    c.get(b"/chunk-file", b"0\r\n\r\n")
    c.get(b"/trailers-far", b"dur=1\r\n\r\n")
    time.sleep(1.5)
    c.get(b"/trailers-apart", b"dur=1\n\n")
    time.sleep(0.5)
    c.get(b"/last-chunk-far", b"0\r\n\r\n")
    time.sleep(0.5)
    c.get(b"/after-chunks", b"ok")
    c.get(b"/chunk-status-line", b"0\r\n\r\n", times=4)
    c.get(b"/unchanged", b"\r\n\r\n", 304)
    time.sleep(0.5)
    c.get(b"/after-chunks", b"ok")
    c.close()


# the same through a proxy, whose call it is, too
def chunks_proxied():
    c = Client(port=sys.argv[3])
    for path, times in ((b"/fake-end", 2), (b"/fake-end-apart", 2), (b"/fake-end-long-head", 2),
                        (b"/chunk-file", 1), (b"/last-chunk-far", 1), (b"/after-chunks", 0)):
        c.get(path, b"0\r\n\r\n" if times else b"ok", times=max(times, 1), proxied=True)
        rows.append({k: v for k, v in rows[-1].items() if k != "proxied"})
        time.sleep(0.3)
    c.close()


def chunks_bodies():
    c = Client()
    for path in (b"/head-chunked", b"/head-chunked"):
        start = time.monotonic()
        c.s.sendall(b"HEAD " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        c.read(b"\r\n\r\n")
        c.row("HEAD", path, 200, start)
        time.sleep(0.5)
    # pipelined: each answer is followed for itself, but that to HEAD, of whatever was asked for
    start = time.monotonic()
    c.s.sendall(b"".join(m + b" HTTP/1.1\r\nHost: x\r\n\r\n" for m in (
        b"GET /fake-end-twice", b"HEAD /head-chunked", b"GET /fake-end-again", b"GET /after-twice")))
    c.read(b"0\r\n\r\n", 2)
    c.row("GET", b"/fake-end-twice", 200, start)
    c.row("HEAD", b"/head-chunked", 200, start)
    c.read(b"0\r\n\r\n", 2)
    c.row("GET", b"/fake-end-again", 200, start)
    c.read(b"ok")
    c.row("GET", b"/after-twice", 200, start)
    c.close()
    c = Client()
    start = time.monotonic()
    c.s.sendall(b"POST /duplex-far HTTP/1.1\r\nHost: x\r\nContent-Length: 30000\r\n\r\n")
    c.read(b"ready")
    pieces(c, 0.2, b"b" * 30000)
    c.read(b"0\r\n\r\n", 2)
    c.row("POST", b"/duplex-far", 200, start)
    time.sleep(0.5)
    c.get(b"/after-duplex", b"ok")
    c.close()


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


# Chunked requests: what looks like a request or a status line in their bodies is none, and what
# comes behind them is a request of its own.
FAKE = b"GET /invented HTTP/1.1\r\nHost: x\r\n\r\nHTTP/1.1 500 Oops\r\nX: y\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunked(c, path, fields=b""):
    c.s.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + fields +
                b"Transfer-Encoding: chunked\r\n\r\n")


def pieces(c, *what):
    for w in what:
        if isinstance(w, float):
            time.sleep(w)
        else:
            c.s.sendall(w)


def chunked_bodies():
    c = Client()
    start = time.monotonic()
    chunked(c, b"/upload")
    pieces(c, chunk(b"hello"), 0.5, chunk(FAKE), 0.5, b"0\r\nA: b\r\n", 0.5, b"\r\n")
    c.read(b"ok")
    c.row("POST", b"/upload", 200, start, cause="recv")
    c.get(b"/after-upload", b"ok")
    c.close()
    c = Client()
    start = time.monotonic()
    chunked(c, b"/duplex-chunks")
    c.read(b"ready")
    pieces(c, 0.4, b"%x\r\n" % len(FAKE), 0.1, FAKE + b"\r\n", 0.4, chunk(10000 * b"b")[:5000], 0.1,
           chunk(10000 * b"b")[5000:], 0.4, b"0\r", 0.1, b"\n\r\n")
    c.read(b"0\r\n\r\n")
    c.row("POST", b"/duplex-chunks", 200, start)
    c.get(b"/after-duplex-chunks", b"ok")
    c.close()
    for fields in (b"", b"Cookie: s=" + b"x" * 6000 + b"\r\n"):
        c = Client()
        start = time.monotonic()
        chunked(c, b"/refused-chunks", fields)
        c.read(b"\r\n\r\n")
        c.row("POST", b"/refused-chunks", 413, start)
        pieces(c, 0.2, b"%x\r\n" % (len(FAKE) + 3000), 0.1, FAKE, 0.1, b"z" * 3000 + b"\r\n", 0.3,
               b"0\r\n\r\n", 0.3)
        c.get(b"/after-refused-chunks", b"ok")
        c.close()
    c = Client()
    start = time.monotonic()
    chunked(c, b"/continue", b"Expect: 100-continue\r\n")
    c.read(b"Continue\r\n\r\n")
    pieces(c, 0.4, chunk(FAKE), 0.4, b"0\r\n\r\n")
    c.read(b"ok")
    c.row("POST", b"/continue", 200, start, cause="recv")
    c.get(b"/after-continue", b"ok")
    c.close()
    # a GET may have a body, too
    for method in ("POST", "GET"):
        c = Client()
        start = time.monotonic()
        c.s.sendall(method.encode() + b" /before-last-chunk HTTP/1.1\r\nHost: x\r\n"
                    b"transfer-encoding: Chunked\r\n\r\n" + chunk(b"hello"))
        c.read(b"ok")
        c.row(method, b"/before-last-chunk", 200, start)
        time.sleep(0.3)
        c.get(b"/behind-last-chunk", b"ok", before=b"0\r\n\r\n")
        c.close()


def refused_lengths():
    for fields in (b"", b"Cookie: s=" + b"x" * 6000 + b"\r\n"):
        c = Client()
        start = time.monotonic()
        c.s.sendall(b"POST /refused HTTP/1.1\r\nHost: x\r\n" + fields +
                    b"Content-Length: 5000\r\n\r\n")
        c.read(b"\r\n\r\n")
        c.row("POST", b"/refused", 413, start)
        pieces(c, 0.2, FAKE, 0.1, (FAKE + b"z" * 5000)[:5000 - len(FAKE)], 0.3)
        c.get(b"/after-refused", b"ok")
        c.close()


# the same behind a PROXY header of version 2, which comes first and alone
def refused_proxied():
    c = Client()
    pieces(c, PROXY_2, 0.1)
    start = time.monotonic()
    chunked(c, b"/refused-chunks")
    c.read(b"\r\n\r\n")
    c.row("POST", b"/refused-chunks", 413, start, client="192.0.2.1", slack_us=250000)
    pieces(c, 0.2, b"%x\r\n" % len(FAKE), 0.1, FAKE, 0.1, b"\r\n0\r\n\r\n", 0.2)
    c.get(b"/after-refused-chunks", b"ok", client="192.0.2.1")
    c.close()


def long_heads():
    c = Client()
    c.get(b"/long-head", b"y" * 10)
    c.get(b"/after-long-head", b"ok")
    c.get(b"/longest-head", b"y" * 10)
    c.close()
    c = Client()
    start = time.monotonic()
    c.s.sendall(b"POST /long-request HTTP/1.1\r\nHost: x\r\nCookie: s=" + b"x" * 6000 +
                b"\r\nContent-Length: 10\r\n\r\n")
    pieces(c, 1.0, b"y" * 10)
    c.read(b"ok")
    c.row("POST", b"/long-request", 200, start, cause="recv")
    c.get(b"/after-long-request", b"ok")
    c.close()


# END_REQUEST in parts, in a page, and of a request that is none; the connection stays.
def fastcgi():
    def record(kind, content=b""):
        return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content
    c = Client()
    for name in (b"/end_halves.php", b"/end_thirteen.php", b"/end_printed.php", b"/records.php",
                 b"/end_of_another.php"):
        params = (bytes([11, len(name)]) + b"SCRIPT_NAME" + name + b"\x0e\3REQUEST_METHODGET")
        start = time.monotonic()
        c.s.sendall(record(1, b"\0\1\1\0\0\0\0\0") + record(4, params) + record(4) + record(5))
        b = c.read(record(3, bytes(8)))
        if name == b"/end_printed.php":
            c.read(b"more" + bytes(5) + record(3, bytes(8)))
        c.row("GET", name, 200, start)
        time.sleep(0.3)
    c.close()


# HTTP/2 with and without a proxy's header in front: SETTINGS, a pause, and one stream
def http2():
    for before in (b"", b"PROXY TCP4 192.0.2.1 192.0.2.2 5555 80\r\n", PROXY_2):
        c = Client()
        c.s.sendall(before + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        c.read(b"\4\0\0\0\0\0")
        c.s.sendall(b"\0\0\0\4\1\0\0\0\0")
        time.sleep(0.5)
        start = time.monotonic()
        c.s.sendall(b"\0\0\3\1\5\0\0\0\1\x82\x86\x84")
        c.read(b"\x88")
        rows.append(dict(route="(http/2)", status=None, us=round((time.monotonic() - start) * 1e6),
                         multiplexed=True, **({"client": "192.0.2.1"} if before else {})))
        c.close()


# what begins with a word in capital letters, with a line that looks like HTTP's, may be anything
def words():
    c = Client()
    for text in (b"DATA x\r\nContent-Length: 5\r\n\r\n", b"QUIT now\r\n"):
        start = time.monotonic()
        c.s.sendall(text)
        c.read(b"ok\r\n")
        rows.append(dict(route="port " + sys.argv[1], status=None, bytes_in=len(text),
                         us=round((time.monotonic() - start) * 1e6)))
        time.sleep(0.3)
    c.close()


def slow_reader():
    c = Client(small=True)
    start = time.monotonic()
    c.s.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    web.read_slowly(c.s, 30 << 20, 1.5)
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


for step in (interim, chunks, chunks_far, chunks_proxied, chunks_bodies, pauses, bodies, duplex, chunked_bodies, refused_lengths,
             refused_proxied, long_heads, fastcgi, http2, words, slow_reader, proxied):
    step()
with open(sys.argv[2], "w") as f:
    json.dump(rows, f)
