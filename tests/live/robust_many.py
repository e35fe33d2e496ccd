#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What robust_many.sh needs.

    robust_many.py server PORT              an event loop: any number of keep-alive connections
    robust_many.py threads PORT N           N threads that all wait to accept
    robust_many.py idle PORT N DIR          N connections, one request on each; then they rest until
                                            DIR/end exists (DIR/idle says that they do)
    robust_many.py ask PORT N PATH          N requests, each on a connection of its own
    robust_many.py storm N                  N short children, each of which executes nothing
"""
import os
import resource
import selectors
import socket
import sys
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def all_files():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    s.listen(1024)
    return s


def server(port):
    all_files()
    ready = selectors.DefaultSelector()
    main = listen(port)
    ready.register(main, selectors.EVENT_READ)
    while True:
        for key, _ in ready.select():
            if key.fileobj is main:
                c = main.accept()[0]
                ready.register(c, selectors.EVENT_READ)
            elif key.fileobj.recv(4096):
                key.fileobj.send(ANSWER)
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


def threads(port, n):
    main = listen(port)

    def work():
        while True:
            c = main.accept()[0]
            if c.recv(4096):
                c.send(ANSWER)
            c.close()

    threading.stack_size(64 << 10)
    for _ in range(int(n)):
        threading.Thread(target=work, daemon=True).start()
    print("started", flush=True)
    time.sleep(600)


def ask(port, n, path):
    for _ in range(int(n)):
        with socket.create_connection(("127.0.0.1", int(port)), timeout=20) as s:
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
            if not s.recv(4096):
                sys.exit("no answer")


def idle(port, n, folder):
    all_files()
    conns = []
    for i in range(int(n)):
        # the ports of one client address would be few
        s = socket.socket()
        s.bind(("127.0.0.%d" % (2 + i // 5000), 0))
        s.connect(("127.0.0.1", int(port)))
        s.sendall(b"GET /idle HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)
        conns.append(s)
    open(os.path.join(folder, "idle"), "w").close()
    while not os.path.exists(os.path.join(folder, "end")):
        time.sleep(0.05)
    for s in conns:
        s.sendall(b"GET /again HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)


def storm(n):
    for _ in range(int(n)):
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    {"server": server, "threads": threads, "idle": idle, "ask": ask,
     "storm": storm}[sys.argv[1]](*sys.argv[2:])
