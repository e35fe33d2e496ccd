# SPDX-License-Identifier: GPL-2.0-only
"""Asks loops_server.py: loops_client.py PORT. Each slow answer alone and beside quick ones, and
quick ones behind a loop that is kept busy."""
import socket
import sys
import threading
import time

port = int(sys.argv[1])


def ask(path, times=1, pause=0.0):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        for _ in range(times):
            s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
            got = b""
            while not got.endswith(b"ok"):
                part = s.recv(4096)
                if not part:
                    sys.exit("closed before the answer of %s" % path)
                got += part
            time.sleep(pause)


def beside(*jobs):
    threads = [threading.Thread(target=ask, args=job) for job in jobs]
    for t in threads:
        t.start()
        time.sleep(0.03)
    for t in threads:
        t.join()


beside((b"/quick", 40, 0.01), (b"/quick", 40, 0.01))  # it serves several at a time: a loop
for slow in (b"/timer", b"/work"):
    beside((slow, 5))
    beside((slow, 5), (b"/quick", 80, 0.02))
for _ in range(5):
    beside((b"/spin", 1), (b"/behind", 1))
for _ in range(5):
    beside((b"/busy-meanwhile", 1), (b"/spin", 1))
