# SPDX-License-Identifier: GPL-2.0-only
"""Sends requests in unusual pieces and writes down what a server's side must show for each:
wire_client.py NGINX-PORT PYTHON-PORT EXPECTED"""
import json
import re
import socket
import struct
import sys
import time

from facts import ok

nginx, python = int(sys.argv[1]), int(sys.argv[2])
expected = []


def expect(service, method, path, status, count=1, **more):
    expected.append(dict(more, service=service, method=method, route=method + " " + path,
                         status=status, count=count))


def connect(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def head_of(method, path, *fields, version="1.1"):
    return ("%s %s HTTP/%s\r\nHost: x\r\n%s\r\n" %
            (method, path, version, "".join(f + "\r\n" for f in fields))).encode()


class Reader:
    """Answers of a connection, one after the other."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self):
        got = self.sock.recv(65536)
        if not got:
            raise EOFError(self.data[:200])
        self.data += got

    def upto(self, mark):
        while mark not in self.data:
            self.more()
        got, self.data = self.data.split(mark, 1)
        return got

    def take(self, n):
        while len(self.data) < n:
            self.more()
        got, self.data = self.data[:n], self.data[n:]
        return got

    def answer(self, method="GET"):
        head = self.upto(b"\r\n\r\n")
        status = int(head.split()[1])
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if method == "HEAD" or status in (100, 204, 304):
            return status, b""
        if length:
            return status, self.take(int(length[1]))
        if b"chunked" in head.lower():
            body = b""
            while True:
                n = int(self.upto(b"\r\n"), 16)
                body += self.take(n)
                self.take(2)
                if not n:
                    return status, body
        try:
            while True:
                self.more()
        except EOFError:
            return status, self.data


def ask(port, data, method="GET"):
    s = connect(port)
    s.sendall(data)
    got = Reader(s).answer(method)
    s.close()
    return got


def check(name, got, status, length=None):
    ok(got[0] == status and (length is None or len(got[1]) == length), "client: " + name,
       got[0], len(got[1]))


def pieces():
    s = connect(nginx)
    for byte in head_of("GET", "/split.html", "X-Some: field"):
        s.sendall(bytes([byte]))
        time.sleep(0.0005)
    check("byte by byte", Reader(s).answer(), 200)
    expect("nginx", "GET", "/split.html", 200)

    s = connect(nginx)
    s.sendall(b"".join(head_of("GET", "/pipe-%s.html" % c) for c in "abc"))
    r = Reader(s)
    for c in "abc":
        check("pipelined " + c, r.answer(), 200, 7)
        expect("nginx", "GET", "/pipe-%s.html" % c, 200)

    # the second request's head is in two segments, the first of which it shares
    s = connect(nginx)
    data = head_of("GET", "/cut-a.html") + head_of("GET", "/cut-b.html")
    s.sendall(data[:-20])
    r = Reader(s)
    check("first of a cut pair", r.answer(), 200)
    s.sendall(data[-20:])
    check("second of a cut pair", r.answer(), 200)
    expect("nginx", "GET", "/cut-a.html", 200)
    expect("nginx", "GET", "/cut-b.html", 200)

    s = connect(nginx)
    r = Reader(s)
    for _ in range(25):
        s.sendall(head_of("GET", "/keep.html"))
        check("keep-alive", r.answer(), 200)
    expect("nginx", "GET", "/keep.html", 200, 25)


def without_body():
    check("HEAD", ask(nginx, head_of("HEAD", "/head.html"), "HEAD"), 200, 0)
    expect("nginx", "HEAD", "/head.html", 200)
    check("204", ask(nginx, head_of("GET", "/none")), 204, 0)
    expect("nginx", "GET", "/none", 204)
    s = connect(nginx)
    s.sendall(head_of("GET", "/cond.html"))
    r = Reader(s)
    tag = re.search(rb"(?i)etag: *(\S+)", r.upto(b"\r\n\r\n"))[1].decode()
    r.take(5)
    s.sendall(head_of("GET", "/cond.html", "If-None-Match: " + tag))
    check("304", r.answer(), 304, 0)
    expect("nginx", "GET", "/cond.html", 200)
    expect("nginx", "GET", "/cond.html", 304)
    check("404", ask(nginx, head_of("GET", "/absent")), 404)
    expect("nginx", "GET", "/absent", 404)
    check("503", ask(nginx, head_of("GET", "/teapot")), 503)
    expect("nginx", "GET", "/teapot", 503, error=True)


def bodies():
    body = b"b" * 9000
    s = connect(nginx)
    s.sendall(head_of("POST", "/body.php", "Expect: 100-continue", "Content-Length: 9000"))
    r = Reader(s)
    check("100 Continue", r.answer(), 100, 0)
    s.sendall(body)
    check("after 100 Continue", r.answer(), 200, 4)
    expect("nginx", "POST", "/body.php", 200)
    expect("php-fpm", "POST", "/body.php", 200)

    s = connect(nginx)
    begin = time.monotonic()
    s.sendall(head_of("POST", "/slowbody.php", "Content-Length: 9000"))
    for i in range(0, 9000, 1500):
        time.sleep(0.1)
        s.sendall(body[i:i + 1500])
    # the body's last byte has been sent at least this long after the head
    waited = (time.monotonic() - begin) * 1e6
    check("slow body", Reader(s).answer(), 200, 4)
    total = (time.monotonic() - begin) * 1e6
    expect("nginx", "POST", "/slowbody.php", 200, least={"recv": waited * 0.9}, wall_max=total)
    expect("php-fpm", "POST", "/slowbody.php", 200)

    check("8 KiB query", ask(nginx, head_of("GET", "/query.php?q=" + "q" * 8192)), 200)
    expect("nginx", "GET", "/query.php", 200)
    expect("php-fpm", "GET", "/query.php", 200)
    check("status of PHP", ask(nginx, head_of("GET", "/missing.php")), 418)
    expect("nginx", "GET", "/missing.php", 418)
    expect("php-fpm", "GET", "/missing.php", 418)

    begin = time.monotonic()
    check("answered before the end", ask(nginx, head_of("GET", "/after.php")), 200, 6)
    expect("nginx", "GET", "/after.php", 200, wall_max=(time.monotonic() - begin) * 1e6)
    expect("php-fpm", "GET", "/after.php", 200, after_min=200000,
           wall_max=(time.monotonic() - begin) * 1e6)
    begin = time.monotonic()
    check("chunked", ask(nginx, head_of("GET", "/chunks.php")), 200, 25000)
    expect("nginx", "GET", "/chunks.php", 200, wall_min=80000,
           wall_max=(time.monotonic() - begin) * 1e6)
    expect("php-fpm", "GET", "/chunks.php", 200, wall_min=80000)
    check("HTTP/1.0", ask(nginx, head_of("GET", "/old.php", version="1.0")), 200, 25000)
    expect("nginx", "GET", "/old.php", 200, wall_min=80000)
    expect("php-fpm", "GET", "/old.php", 200, wall_min=80000)
    check("5 MB by sendfile", ask(nginx, head_of("GET", "/big.bin")), 200, 5000000)
    expect("nginx", "GET", "/big.bin", 200, bytes_out_min=5000000)


def leave(s):
    """Ends the connection at once, with what is unread."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def aborts():
    s = connect(nginx)
    s.sendall(head_of("GET", "/leave.php"))
    time.sleep(0.2)
    leave(s)
    expect("nginx", "GET", "/leave.php", None, aborted=True)
    s = connect(nginx)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    s.sendall(head_of("GET", "/left.bin"))
    s.recv(1000)
    time.sleep(0.2)
    leave(s)
    expect("nginx", "GET", "/left.bin", 200, aborted=True, bytes_out_max=4999999)


def calls():
    ways = ("read", "readv", "recvmsg", "recv")
    for how in ("write", "writev", "sendmsg", "sendfile", "send", "pieces", "mixed"):
        s = connect(python)
        r = Reader(s)
        status = 207 if how == "mixed" else 200
        for way in ways:
            s.sendall(head_of("GET", "/%s/%s" % (how, way)))
            check("answer by %s, then %s" % (how, way), r.answer(), status, 8192)
            expect("python", "GET", "/%s/%s" % (how, way), status, bytes_out_min=8192)
        s.close()


for part in (pieces, without_body, bodies, aborts, calls):
    try:
        part()
    except (OSError, EOFError, TypeError) as e:
        ok(False, "client: %s" % part.__name__, repr(e))
with open(sys.argv[3], "w") as f:
    json.dump(expected, f)
