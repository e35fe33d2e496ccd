# SPDX-License-Identifier: GPL-2.0-only
"""Servers of owners.sh.

owners_server.py store ADDRESS        4 bytes are answered by 4: "slow" sleeps 30 ms, others compute 3 ms
owners_server.py web PORT ADDRESS     GET /slow and /fast ask the store, on one lasting connection
owners_server.py pages PORT           a thread each: /slow... sleeps 20 ms, others compute 3 ms
owners_server.py ticker PORT ADDRESS  the same; GET /many asks 600 times; a thread asks all the time, for nobody
owners_server.py later PORT ADDRESS   an event loop that waits 10 ms before it asks the store for a request, on
                                      a lasting connection of its own

ADDRESS is HOST:PORT or the path of a Unix socket.
"""
import asyncio
import http.server
import os
import socket
import sys
import threading
import time

import web


def parse(address):
    if address.startswith("/"):
        return socket.AF_UNIX, address
    host, port = address.rsplit(":", 1)
    return socket.AF_INET, (host, int(port))


def dial(address):
    family, where = parse(address)
    for _ in range(100):
        s = socket.socket(family)
        try:
            s.connect(where)
            return s
        except OSError:
            s.close()
            time.sleep(0.05)
    sys.exit("nobody listens at %s" % address)


def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def read_exactly(s, n):
    got = b""
    while len(got) < n:
        more = s.recv(n - len(got))
        if not more:
            return b""
        got += more
    return got


def answer(s):
    while True:
        word = read_exactly(s, 4)
        if not word:
            break
        if word == b"slow":
            time.sleep(0.03)
        else:
            compute(0.003)
        s.sendall(b"done")
    s.close()


def store(address):
    family, where = parse(address)
    listener = socket.socket(family)
    if family == socket.AF_UNIX and os.path.exists(where):
        os.unlink(where)
    listener.bind(where)
    listener.listen(8)
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def ask(upstream, word):
    upstream.sendall(word)
    read_exactly(upstream, 4)


def tick(upstream):
    while True:
        ask(upstream, b"tick")
        time.sleep(0.02)


def shop(port, address):
    upstream = dial(address)

    def work(path):
        for _ in range(600 if path == "/many" else 1):
            ask(upstream, path[1:5].encode())

    web.server(port, work, kind=http.server.HTTPServer).serve_forever()


async def later(port, address):
    async def visitor(reader, writer):
        answers, asks = await asyncio.open_connection(*parse(address)[1])
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(0.01)
                asks.write(b"fast")
                await answers.readexactly(4)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except asyncio.IncompleteReadError:
            asks.close()
            writer.close()

    async with await asyncio.start_server(visitor, "127.0.0.1", int(port)) as s:
        await s.serve_forever()


def page(path):
    if path.startswith("/slow"):
        time.sleep(0.02)
    else:
        compute(0.003)


if __name__ == "__main__":
    if sys.argv[1] == "store":
        store(sys.argv[2])
    elif sys.argv[1] == "pages":
        web.server(sys.argv[2], page).serve_forever()
    elif sys.argv[1] == "later":
        asyncio.run(later(sys.argv[2], sys.argv[3]))
    else:
        if sys.argv[1] == "ticker":
            threading.Thread(target=tick, args=(dial(sys.argv[3]),), daemon=True).start()
        shop(sys.argv[2], sys.argv[3])
