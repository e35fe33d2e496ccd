# SPDX-License-Identifier: GPL-2.0-only
"""A FastAPI application whose routes are no coroutines, so that each runs in a thread of a pool: /db asks
a database, /cpu computes, /nap sleeps, /steps is two jobs, one after the other. Each appends to APP_LOG what
it did: its route and number, microseconds in the database, asleep, and on the CPU."""
import hashlib
import json
import os
import threading
import time

import psycopg2
from fastapi import Depends, FastAPI, Response

app = FastAPI()
log = open(os.environ["APP_LOG"], "a", buffering=1)
mine = threading.local()


def connection():
    if not hasattr(mine, "connection"):
        mine.connection = psycopg2.connect(os.environ["APP_DB"])
        mine.connection.autocommit = True
    return mine.connection


def did(route, n, **us):
    log.write(json.dumps(dict(route="GET " + route, n=n, **us)) + "\n")
    return Response(b"done")


def nap(seconds):
    before = time.monotonic()
    time.sleep(seconds)
    return (time.monotonic() - before) * 1e6


@app.get("/db")
def db(n: int):
    before = time.monotonic()
    cursor = connection().cursor()
    cursor.execute("SELECT count(*), pg_sleep(0.05) FROM pg_class")
    return did("/db", n, db_us=(time.monotonic() - before) * 1e6)


@app.get("/cpu")
def cpu(n: int):
    before = time.thread_time()
    hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 100000)  # without the interpreter's lock
    return did("/cpu", n, cpu_us=(time.thread_time() - before) * 1e6)


@app.get("/nap")
def sleeps(n: int):
    return did("/nap", n, nap_us=nap(0.07))


def first():
    return nap(0.02)


@app.get("/steps")
def steps(n: int, before_us: float = Depends(first)):
    return did("/steps", n, nap_us=before_us + nap(0.03))
