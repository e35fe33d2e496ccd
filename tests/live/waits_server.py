# SPDX-License-Identifier: GPL-2.0-only
"""A thread for each connection, and answers that come after waits of known kinds: waits_server.py
PORT. /event sleeps in a timed wait, /cond in one by the clock of the day as databases do; /result
and /result-in wait for another thread; /mutex for a mutex that /hold has; /gil for the lock of the
interpreter, which /spin has."""
import concurrent.futures
import ctypes
import sys
import threading
import time

import web

libc = ctypes.CDLL(None)
mutex = ctypes.create_string_buffer(64)
held = threading.Event()
spins = threading.Event()
pool = concurrent.futures.ThreadPoolExecutor(2)


class Timespec(ctypes.Structure):
    _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]


def event():
    threading.Event().wait(0.3)


def cond():
    own_cond, own = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    until = time.time() + 0.3
    at = Timespec(int(until), int(until % 1 * 1e9))
    libc.pthread_mutex_lock(own)
    libc.pthread_cond_timedwait(own_cond, own, ctypes.byref(at))
    libc.pthread_mutex_unlock(own)


def hold():
    libc.pthread_mutex_lock(mutex)
    held.set()
    time.sleep(0.3)
    libc.pthread_mutex_unlock(mutex)


def wait_mutex():
    held.wait(5)
    held.clear()
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_unlock(mutex)


def spin_for(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def spin():
    spins.set()
    spin_for(0.3)


def gil():
    spins.wait(5)
    spins.clear()
    spin_for(0.1)


WORK = {"/event": event, "/cond": cond, "/hold": hold, "/mutex": wait_mutex, "/spin": spin, "/gil": gil,
        "/result": lambda: pool.submit(time.sleep, 0.3).result(),
        "/result-in": lambda: pool.submit(time.sleep, 0.3).result(timeout=5)}


web.server(sys.argv[1], lambda path: WORK[path](), b"").serve_forever()
