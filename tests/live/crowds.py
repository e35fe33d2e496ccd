#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A crowd beside a watched server, and that server's one client.

crowd PORT N: N connections to a server of its own, one unread byte in each, until it is ended
serve PORT: answers each request after 2 ms, one for /held never
hold PORT: asks for /held, and waits until it is ended
ask PORT SECONDS: requests one after the other; prints how many were answered
"""
import resource
import signal
import socket
import sys
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(4096)
    return s


def crowd(port, n):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener, ends = listen(int(port)), []
    for _ in range(int(n)):
        s = socket.create_connection(("127.0.0.1", int(port)))
        ends += [s, listener.accept()[0]]
        s.send(b"x")
    print("there", flush=True)
    signal.pause()


def serve(port):
    listener = listen(int(port))

    def talk(s):
        while d := s.recv(4096):
            time.sleep(600 if b"/held" in d else 0.002)
            s.send(ANSWER)

    while True:
        threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()


def hold(port):
    s = socket.create_connection(("127.0.0.1", int(port)))
    s.send(b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
    print("asked", flush=True)
    signal.pause()


def ask(port, seconds):
    s, n, end = socket.create_connection(("127.0.0.1", int(port))), 0, time.time() + float(seconds)
    while time.time() < end:
        s.send(b"GET /ok HTTP/1.1\r\nHost: a\r\n\r\n")
        n += s.recv(4096) == ANSWER
        time.sleep(0.008)
    print(n)


def main():
    {"crowd": crowd, "serve": serve, "hold": hold, "ask": ask}[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
