# SPDX-License-Identifier: GPL-2.0-only
"""Clients of pgsql.sh, which speak PostgreSQL's protocol by hand and log what they did.

pgsql_client.py ends PORT LOG       answers whose end is not where the turns say
pgsql_client.py causes PORT LOG     statements that wait for another's locks, or sleep
pgsql_client.py pages PORT WEB-PORT   a web server whose pages ask the database
pgsql_client.py visit WEB-PORT

A row of the log: a word of the statement, seconds from the send until all was answered.
"""
import json
import socket
import struct
import sys
import threading
import time
import urllib.request

import web


def msg(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def parse(name, sql):
    return msg(b"P", name + b"\0" + sql.encode() + b"\0\0\0")


def bind(portal, name, formats=b"\0\0"):
    return msg(b"B", portal + b"\0" + name + b"\0\0\0\0\0" + formats)


def execute(portal=b"", rows=0):
    return msg(b"E", portal + b"\0" + struct.pack("!I", rows))


SYNC = msg(b"S")


class Client:
    def __init__(self, port, log):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf, self.key, self.log = b"", None, log
        body = struct.pack("!I", 3 << 16) + b"user\0postgres\0database\0postgres\0\0"
        self.sock.sendall(struct.pack("!I", len(body) + 4) + body)
        self.until()

    def message(self):
        while True:
            if len(self.buf) >= 5:
                n = struct.unpack("!I", self.buf[1:5])[0] + 1
                if len(self.buf) >= n:
                    m, self.buf = self.buf[:n], self.buf[n:]
                    if m[:1] == b"K":
                        self.key = m[5:]
                    return m
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self.buf += data

    def until(self, times=1, kind=b"Z"):
        """Reads up to the so many-th message of this kind; returns all bytes."""
        size = 0
        while times:
            m = self.message()
            size += len(m)
            times -= m[:1] == kind
        return size

    def ask(self, word, data, times=1):
        start = time.time()
        self.sock.sendall(data)
        size = self.until(times)
        self.log.append({"word": word, "s": time.time() - start})
        return size

    def query(self, word, sql):
        return self.ask(word, msg(b"Q", sql.encode() + b"\0"))

    def close(self):
        self.sock.sendall(msg(b"X"))
        self.sock.close()


def edges(c):
    """Answers of 8,192 n + 4 bytes: ReadyForQuery comes in two sends."""
    size = c.query("edge_first", "SELECT repeat('x', 9000) AS edge_first")
    pad = 9000 + (4 - size) % 8192
    for word in ("edge_other", "edge_again"):
        size = c.query(word, "SELECT repeat('x', %d) AS %s" % (pad, word))
        assert size % 8192 == 4, size
        time.sleep(0.3)
    c.query("edge_after", "SELECT 1 AS edge_after")
    # a row of which the first 8,192 bytes end like ReadyForQuery, and 0.4 s later another
    c.ask("like_end", parse(b"", "SELECT decode('0000000000', 'hex') || decode(repeat('5a0000000549',"
                            " 1500), 'hex') AS like_end, pg_sleep(g * 0.4) FROM generate_series(0, 1) g") +
          bind(b"", b"", b"\0\1\0\1") + execute() + SYNC)


def pipelines(c):
    sql = ("SELECT 1 AS pipe_one", "SELECT pg_sleep(0.3) AS pipe_two", "SELECT pg_sleep(0.2) AS pipe_three")
    c.ask("pipe_two", b"".join(parse(b"", s) + bind(b"", b"") + execute() + SYNC for s in sql), 3)
    c.query("pipe_after", "SELECT 2 AS pipe_after")
    c.ask("many_two", b"".join(msg(b"Q", s.replace("pipe", "many").encode() + b"\0") for s in sql), 3)


def copies(c):
    """Sync comes with Execute, and is not answered once the server expects data."""
    c.query("CREATE TEMP", "CREATE TEMP TABLE rows (a int)")
    start = time.time()
    c.sock.sendall(parse(b"", "COPY rows FROM STDIN") + bind(b"", b"") + execute() + SYNC)
    c.until(kind=b"G")
    time.sleep(0.2)
    c.sock.sendall(msg(b"d", b"1\n2\n") + msg(b"c") + SYNC)
    c.until()
    c.log.append({"word": "COPY rows", "s": time.time() - start})
    c.query("copy_after", "SELECT count(*) AS copy_after FROM rows")


def portals(c):
    c.query("portal_begin", "BEGIN /* portal_begin */")
    c.ask("fetched", parse(b"S_1", "SELECT g, pg_sleep(0.01) AS fetched FROM generate_series(1, 30) g") +
          bind(b"C_2", b"S_1") + execute(b"C_2", 10) + SYNC)
    for _ in range(2):
        c.ask("fetched", execute(b"C_2", 10) + SYNC)
    c.query("portal_end", "COMMIT /* portal_end */")


def replaced(c):
    """The name of a statement is used again, with and without success."""
    again = bind(b"", b"S_7") + execute() + SYNC
    c.ask("as_first", parse(b"S_7", "SELECT 1 AS as_first") + again)
    c.ask("as_second", msg(b"C", b"SS_7\0") + parse(b"S_7", "SELECT 1 AS as_second") + again)
    c.ask("as_second", again)
    c.ask("as_third", parse(b"S_7", "SELECT 1 AS as_third") + SYNC)  # an error: the name is taken
    c.ask("(prepared S_7)", again)


def waits(c, d, port):
    """Notified while idle; cancelled by a connection of its own."""
    c.query("LISTEN", "LISTEN channel")
    time.sleep(0.3)
    d.query("NOTIFY", "NOTIFY channel, 'x'")
    time.sleep(0.3)
    c.query("after_notify", "SELECT 3 AS after_notify")
    t = threading.Thread(target=d.query, args=("to_cancel", "SELECT pg_sleep(5) AS to_cancel"))
    t.start()
    time.sleep(0.3)
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(struct.pack("!II", 16, 80877102) + d.key[:8])
    s.recv(10)
    s.close()
    t.join()


def ends(port, path):
    log = []
    c, d = Client(port, log), Client(port, log)
    edges(c)
    pipelines(c)
    copies(c)
    portals(c)
    replaced(c)
    waits(c, d, port)
    c.query("edge_last", "SELECT repeat('x', %d) AS edge_last" % 100)
    c.close()
    d.close()
    with open(path, "w") as f:
        json.dump(log, f)


def once(c, d):
    """Each waits for a lock that the other's transaction holds, and one only sleeps."""
    for word, hold, wait in (
            ("row", "UPDATE held SET v = v + 1 /* row */ WHERE id = 1",
             "UPDATE held SET v = v + 2 WHERE id = 1 RETURNING 'row_waits'"),
            ("advisory", "SELECT pg_advisory_xact_lock(7) AS advisory_holds",
             "SELECT pg_advisory_xact_lock(7) AS advisory_waits"),
            ("long", "DELETE FROM held WHERE id = 2", "DELETE FROM held WHERE id = 2 RETURNING 'long_waits'")):
        c.query(word, "BEGIN")
        c.query(word, hold)
        t = threading.Thread(target=d.query, args=(word, wait))
        t.start()
        time.sleep(1.3 if word == "long" else 0.4)    # it looks for a deadlock after 1 s
        c.query(word, "COMMIT")
        t.join()
    c.query("sleep", "SELECT pg_sleep(0.3) AS sleep")
    d.ask("mixed", b"".join(msg(b"Q", s + b"\0") for s in (
        b"SELECT 1 AS mixed", b"SELECT pg_sleep(0.2) AS mixed_sleeps")), 2)


def causes(port, path):
    log = []
    c, d = Client(port, log), Client(port, log)
    c.query("made", "CREATE TABLE held (id int, v int)")
    c.query("made", "INSERT INTO held VALUES (1, 0), (2, 0)")
    once(c, d)
    c.close()
    d.close()
    with open(path, "w") as f:
        json.dump(log, f)


def page(pg, path):
    """/hold has a row for 0.4 s, /wait waits for it, /sleep sleeps in the database."""
    c = Client(pg, [])
    if path == "/hold":
        c.query("", "BEGIN")
        c.query("", "UPDATE shop SET v = v + 1 WHERE id = 1")
        c.query("", "SELECT pg_sleep(0.4)")
        c.query("", "COMMIT")
    elif path == "/wait":
        c.query("", "UPDATE shop SET v = v + 2 WHERE id = 1 RETURNING v")
    else:
        c.query("", "SELECT pg_sleep(0.3) AS nap")
    c.close()


def pages(pg, port):
    web.server(port, lambda path: page(pg, path)).serve_forever()


def visit(port):
    """Three visitors at once: one holds the row, one waits for it, one sleeps."""
    for _ in range(2):
        visitors = []
        for path in ("hold", "sleep", "wait"):
            visitors.append(threading.Thread(target=lambda p=path: urllib.request.urlopen(
                "http://127.0.0.1:%d/%s" % (port, p), timeout=20).read()))
            visitors[-1].start()
            time.sleep(0.15)
        for v in visitors:
            v.join()


if __name__ == "__main__":
    globals()[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
