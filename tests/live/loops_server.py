# SPDX-License-Identifier: GPL-2.0-only
"""An event loop that mostly has nothing to do: loops_server.py PORT. /timer and /busy-meanwhile answer after a timer,
/work after a thread of its pool has slept, /spin after it has kept the loop busy, all others at
once. At its end it prints the CPU time that it used."""
import asyncio
import signal
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def spin(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def serve(reader, writer):
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            break
        path = head.split(b" ")[1]
        if path in (b"/timer", b"/busy-meanwhile"):
            await asyncio.sleep(0.3)
        elif path == b"/work":
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.3)
        elif path == b"/spin":
            spin(0.1)
        writer.write(ANSWER)
        await writer.drain()
    writer.close()


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await stop.wait()
    server.close()


asyncio.run(main())
print(time.process_time())
