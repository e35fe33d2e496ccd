# SPDX-License-Identifier: GPL-2.0-only
"""Clients of lifecycle.sh: lifecycle_client.py PORT DIR late|reload|flight. They tell and are told
how far things are by files in DIR."""
import http.client
import json
import os
import sys
import threading
import time

port, folder, what = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def connect():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.connect()
    return c


def get(c, path, after=()):
    c.request("GET", path)
    for f in after:
        f()
    r = c.getresponse()
    r.read()
    return r.status, (r.getheader("Connection") or "").lower() == "close"


def tell(name, text="."):
    with open(os.path.join(folder, name + ".new"), "w") as f:
        f.write(text)
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))


def await_file(name):
    while not os.path.exists(os.path.join(folder, name)):
        time.sleep(0.01)


def late():
    kept, slow = connect(), connect()
    get(kept, "/before.html")
    get(slow, "/before.html")

    def meanwhile():
        time.sleep(0.3)
        tell("before")
        await_file("go")
    get(slow, "/slow.php?ms=2500", [meanwhile])
    get(slow, "/after.html")
    get(slow, "/next.php?ms=50")
    for _ in range(3):
        get(kept, "/kept.html")
    get(connect(), "/after.html")
    tell("late")


def reload():
    """Five clients with keep-alive for about four seconds. A connection that the old worker has
    closed is opened again; only answered requests are counted."""
    answered, end = [], time.monotonic() + 4

    def run():
        c, n = connect(), 0
        while time.monotonic() < end:
            try:
                status, closes = get(c, "/reload.html")
                n += status == 200
                if closes:
                    c.close()
                    c = connect()
            except (http.client.HTTPException, OSError):
                c.close()
                c = connect()
        c.close()
        answered.append(n)
    threads = [threading.Thread(target=run) for _ in range(5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tell("reload", json.dumps(sum(answered)))


def flight():
    threads = [threading.Thread(target=lambda: get(connect(), "/flight.php?ms=9000"))
               for _ in range(4)]
    threads[0].start()
    time.sleep(0.2)
    tell("flying")
    await_file("go2")
    threads[1].start()
    await_file("go3")
    for t in threads[2:]:
        t.start()
    await_file("go4")
    os._exit(0)


{"late": late, "reload": reload, "flight": flight}[what]()
