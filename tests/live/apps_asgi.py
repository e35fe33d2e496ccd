# SPDX-License-Identifier: GPL-2.0-only
"""An ASGI application for uvicorn: /timer waits for the loop's clock, /work for a thread of its pool,
/spin keeps the loop busy, /db asks a database through a pool of one connection. Each answer is
logged: route, start and end (Unix seconds), microseconds from the query's send to its answer; at its
end, in LOG.cpu, for how many seconds its loop was not idle."""
import asyncio
import json
import os
import time

import asyncpg

log = open(os.environ["APP_LOG"], "w", buffering=1)
pool = None


def spin(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def query():
    async with pool.acquire() as connection:
        before = time.monotonic()
        await connection.execute("SELECT pg_sleep(0.05)")
        return (time.monotonic() - before) * 1e6


async def lifespan(receive, send):
    global pool
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            pool = await asyncpg.create_pool(os.environ["APP_DB"], min_size=1, max_size=1)
        else:
            await pool.close()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            with open("/proc/self/schedstat") as f, open(os.environ["APP_LOG"] + ".cpu", "w") as to:
                ran, runnable, _ = f.read().split()
                to.write("%f\n" % ((int(ran) + int(runnable)) / 1e9))
            return


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    start, query_us = time.time(), 0
    path = scope["path"]
    if path == "/timer":
        await asyncio.sleep(0.13)  # not as long as the time between two ticks of uvicorn's own
    elif path == "/work":  # not as long as the time between two ticks of uvicorn's own
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.137)
    elif path == "/spin":
        spin(0.05)
    elif path == "/db":
        query_us = await query()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    log.write(json.dumps({"route": "GET " + path, "status": 200, "pid": os.getpid(), "start": start,
                          "end": time.time(), "query_us": query_us}) + "\n")
