# SPDX-License-Identifier: GPL-2.0-only
"""A server that reads and answers with the system call that the path names: /write, /writev,
/sendmsg, /sendfile, /send, /pieces (many small writes), /mixed (all of them in one answer)."""
import os
import socket
import sys
import tempfile
import threading

BODY = b"0123456789abcdef" * 512
file = tempfile.TemporaryFile()
file.write(BODY)
file.flush()


def receive(conn, how):
    if how == "readv":
        parts = [bytearray(7), bytearray(5000)]
        n = os.readv(conn.fileno(), parts)
        return (bytes(parts[0]) + bytes(parts[1]))[:n]
    if how == "recvmsg":
        return conn.recvmsg(5000)[0]
    return os.read(conn.fileno(), 5000) if how == "read" else conn.recv(5000)


def send_all(send, data):
    while data:
        data = data[send(data):]


def answer(conn, path, status):
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(BODY))
    fd = conn.fileno()
    if path == "writev":
        send_all(lambda d: os.writev(fd, [d[:9], d[9:]]), head + BODY)
    elif path == "sendmsg":
        send_all(lambda d: conn.sendmsg([d[:9], d[9:]]), head + BODY)
    elif path == "send":
        send_all(conn.send, head + BODY)
    elif path == "pieces":
        for i in range(0, len(head + BODY), 100):
            send_all(lambda d: os.write(fd, d), (head + BODY)[i:i + 100])
    elif path in ("sendfile", "mixed"):
        send_all((lambda d: os.write(fd, d)) if path == "sendfile" else
                 (lambda d: conn.sendmsg([d])), head)
        done = 0
        while done < len(BODY):
            done += os.sendfile(fd, file.fileno(), done, len(BODY) - done)
    else:
        send_all(lambda d: os.write(fd, d), head + BODY)


def serve(conn):
    pending = b""
    how = "recv"
    with conn:
        while True:
            data = receive(conn, how)
            if not data:
                return
            pending += data
            while b"\r\n\r\n" in pending:
                head, pending = pending.split(b"\r\n\r\n", 1)
                path = head.split()[1].decode().strip("/").split("/")
                how = path[1] if len(path) > 1 else how
                answer(conn, path[0], 207 if path[0] == "mixed" else 200)


listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    connection = listener.accept()[0]
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
