# SPDX-License-Identifier: GPL-2.0-only
"""Drives the servers of streams.sh and writes what it saw: streams_client.py ROWS COMMAND...

Commands are older:PORT (opens a WebSocket), go:FILE (waits until it exists), talk:SERVER:KIND (on the
older one), h2:SERVER:PORT, upgrade:PORT, ws:SERVER:PORT, body:SERVER:PORT:PATH:END, events:PORT,
slow_reader:PORT. Its connections stay open until it is ended."""
import json
import os
import socket
import sys
import time

import web

rows, held = [], []


class Client:
    def __init__(self, port):
        self.s = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held.append(self)

    def take(self, n):
        b = b""
        while len(b) < n:
            d = self.s.recv(n - len(b))
            if not d:
                raise EOFError
            b += d
        return b

    def head(self, text):
        self.s.sendall(text.replace("\n", "\r\n").encode() + b"\r\n")
        b = b""
        while not b.endswith(b"\r\n\r\n"):
            b += self.take(1)
        return int(b.split(b" ")[1])


def row(server, kind, start, n=1):
    rows.append(dict(server=server, kind=kind, n=n, us=round((time.monotonic() - start) * 1e6)))


# ---- HTTP/2 --------------------------------------------------------------------------------

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, ACK = b"\0\0\0\4\0\0\0\0\0", b"\0\0\0\4\1\0\0\0\0"
PING = b"\0\0\x08\6\0\0\0\0\0" + b"12345678"


def asks(stream):
    block = b"\x82\x86\x84\x41\x01x"  # GET http / of x
    return len(block).to_bytes(3, "big") + b"\1\5" + stream.to_bytes(4, "big") + block


def answered(c, *streams):
    left = set(streams)
    while left:
        f = c.take(9)
        c.take(int.from_bytes(f[:3], "big"))
        stream = int.from_bytes(f[5:], "big")
        if f[3] == 4 and not f[4] & 1:
            c.s.sendall(ACK)
        if f[3] in (0, 1) and f[4] & 1:
            left.discard(stream)


def h2(server, port):
    c = Client(port)
    start = time.monotonic()
    c.s.sendall(PREFACE + SETTINGS + asks(1))
    answered(c, 1)
    row(server, "h2", start)
    time.sleep(0.3)
    c.s.sendall(PING)
    time.sleep(0.3)
    for stream in (3, 5):
        start = time.monotonic()
        c.s.sendall(asks(stream))
        answered(c, stream)
        row(server, "h2", start)
        time.sleep(0.2)
    start = time.monotonic()
    for stream in (7, 9, 11):  # together
        c.s.sendall(asks(stream))
        time.sleep(0.02)
    answered(c, 7, 9, 11)
    row(server, "h2-together", start, 3)
    c = Client(port)
    c.s.sendall(PREFACE + SETTINGS)  # opened long before it is used
    time.sleep(0.5)
    start = time.monotonic()
    c.s.sendall(asks(1))
    answered(c, 1)
    row(server, "h2", start)


def upgrade(port):
    c = Client(port)
    c.head("GET /h2c HTTP/1.1\nHost: x\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\n"
           "HTTP2-Settings: AAMAAABkAAQAAP__\n")
    c.s.sendall(PREFACE + SETTINGS)
    answered(c, 1)
    for stream in (3, 5):
        start = time.monotonic()
        c.s.sendall(asks(stream))
        answered(c, stream)
        row("python", "h2c", start)


# ---- WebSocket -----------------------------------------------------------------------------

def ws_open(port):
    c = Client(port)
    c.head("GET /ws HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n"
           "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n")
    return c


def say(c, word, answer=True):
    mask = os.urandom(4)
    c.s.sendall(b"\x81" + bytes([0x80 | len(word)]) + mask +
                bytes(b ^ mask[i % 4] for i, b in enumerate(word)))
    if answer:
        c.take(6)


def talk(c, server, kind):
    time.sleep(0.5)
    say(c, b"quiet", False)
    time.sleep(0.7)
    for _ in range(3):
        start = time.monotonic()
        say(c, b"echo")
        row(server, kind, start)
        time.sleep(0.05)
    say(c, b"push")
    say(c, b"quiet", False)


def ws(server, port):
    start = time.monotonic()
    c = ws_open(port)
    row(server, "ws-upgrade", start)
    talk(c, server, "ws")


# ---- bodies --------------------------------------------------------------------------------

def get(c, path):
    c.s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())


def until(c, mark):
    b = b""
    while mark not in b:
        d = c.s.recv(65536)
        if not d:
            break
        b += d


def body(server, port, path, mark):
    c = Client(port)
    start = time.monotonic()
    get(c, path)
    until(c, mark.encode())
    row(server, path, start)
    c.s.close()


def events(port):
    c, other = Client(port), Client(port)
    start = time.monotonic()
    get(c, "/events")
    for _ in range(4):
        time.sleep(0.3)
        get(other, "/say")
        until(other, b"ok")
    row("node", "/events", start)
    time.sleep(0.05)
    c.s.close()


def slow_reader(port):
    c = Client(port)
    c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    start = time.monotonic()
    get(c, "/big")
    web.read_slowly(c.s, 30 << 20, 0.8)
    row("node", "/big", start)


older = []
for command in sys.argv[2:]:
    name, *args = command.split(":")
    if name == "older":
        older.append(ws_open(*args))
    elif name == "go":
        while not os.path.exists(*args):
            time.sleep(0.02)
    elif name == "talk":
        talk(older[0], *args)
    else:
        {"h2": h2, "upgrade": upgrade, "ws": ws, "body": body, "events": events,
         "slow_reader": slow_reader}[name](*args)
with open(sys.argv[1] + ".part", "w") as f:
    json.dump(rows, f)
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(100)
