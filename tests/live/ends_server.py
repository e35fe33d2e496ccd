# SPDX-License-Identifier: GPL-2.0-only
"""A server of one thread a connection that ends its answers in ways which only the framing tells,
for ends.sh: ends_server.py PORT BIG-FILE"""
import os
import select
import struct
import sys
import time

import web

COOKIES = b"Set-Cookie: s=" + b"x" * 600 + b"; HttpOnly\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FAR = b"1b58\r\n" + 7000 * b"x" + b"\r\n"  # a chunk: what comes behind it is out of the head's sight
FAKE = 1000 * b"x" + b"\r\n0\r\n\r\n"  # data that ends like a body


def head(status, fields=b""):
    return b"HTTP/1.1 " + status + b"\r\nServer: x\r\n" + fields + b"\r\n"


def length(n):
    return b"Content-Length: %d\r\n" % n


class Poll(float):
    """A pause in poll: as of one that has nothing more to do for this request."""


class Conn(web.Conn):
    def send(self, *pieces):
        for p in pieces:
            if isinstance(p, Poll):
                select.select([self.sock], [], [], p)
            elif isinstance(p, float):
                time.sleep(p)
            elif isinstance(p, list):
                assert self.sock.sendmsg(p) == sum(map(len, p))
            else:
                self.sock.sendall(p)

    def body(self, n):
        while len(self.buf) < n and self.more():
            pass
        self.buf = self.buf[n:]

    def line(self):
        while b"\r\n" not in self.buf and self.more():
            pass
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line

    def chunk(self):
        size = int(self.line(), 16)
        self.body(size + 2 if size else 0)
        return size

    def chunks(self):
        while self.chunk():
            pass
        while self.line():
            pass

    def proxy_header(self):
        while len(self.buf) < 16 and self.more():
            pass
        if self.buf.startswith(b"PROXY "):
            self.buf = self.buf.split(b"\r\n", 1)[1]
        elif self.buf.startswith(b"\r\n\r\n\0\r\nQUIT\n"):
            self.body(16 + int.from_bytes(self.buf[14:16], "big"))

    def serve(self):
        self.proxy_header()
        if self.buf.startswith(b"PRI "):
            return self.http2()
        if self.buf.startswith(b"\1\1"):
            return self.fastcgi()
        if self.buf.startswith(b"DATA "):
            return self.words()
        while True:
            while b"\r\n\r\n" not in self.buf:
                if not self.more():
                    self.sock.close()
                    return
            text, self.buf = self.buf.split(b"\r\n\r\n", 1)
            path = text.split(b" ")[1]
            getattr(self, "do_" + path[1:].decode().replace("-", "_"), self.do_ok)()

    def do_ok(self):
        self.send(head(b"200 OK", length(2)) + b"ok")

    # an interim answer with a long head, and the final one in the same send, or in the next
    def do_early(self):
        self.send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"s" * 380 + b">\r\n\r\n" +
                  head(b"200 OK", length(5)) + b"hello")

    def do_early_apart(self):
        self.send(b"HTTP/1.1 103 Early Hints\r\nLink: <" + b"s" * 3000 + b">\r\n\r\n", 0.3,
                  head(b"200 OK", length(5)) + b"hello")

    def do_trailers(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nhello\r\n", b"0\r\nServer-Timing: db;dur=1\r\n\r\n")

    def do_last_chunk_split(self):
        self.send(head(b"200 OK", COOKIES + CHUNKED) + b"5\r\nhello\r\n", 0.05, b"0\r\n", b"\r\n")

    # what looks like a body's end, far behind the head: data of a chunk, and it goes on
    def do_fake_end(self, fields=b"", size=b"%x\r\n"):
        self.send(head(b"200 OK", fields + CHUNKED) + FAR, 0.02, size % (len(FAKE) + 3) + FAKE,
                  Poll(0.5), b"yyy\r\n0\r\n\r\n")

    def do_fake_end_apart(self):
        self.send(head(b"200 OK", CHUNKED), 0.02, FAR, 0.02, b"%x" % (len(FAKE) + 3), 0.02, b"\r",
                  0.02, b"\n", 0.02, FAKE, Poll(0.5), b"yyy\r", 0.02, b"\n0\r\n\r\n")

    def do_fake_end_long_head(self):
        self.do_fake_end(COOKIES)

    def do_fake_end_longest_head(self):
        self.do_fake_end(16 * COOKIES)

    def do_fake_end_head_split(self):
        whole = head(b"200 OK", 2 * COOKIES + CHUNKED)
        self.send(whole[:-9], 0.02, whole[-9:] + FAR, 0.02, b"%x\r\n" % (len(FAKE) + 3) + FAKE,
                  Poll(0.5), b"yyy\r\n0\r\n\r\n")

    def do_fake_end_extension(self):
        self.do_fake_end(size=b'5;a=b\nhello\r\n00%X ;c="d"\r\n')

    # a system call with many buffers, as some servers send chunks
    def do_fake_end_many(self):
        parts = [b"5", b"\r\n", b"hello", b"\r\n"]
        self.send([head(b"200 OK", CHUNKED)] + 5 * parts, 0.02,
                  100 * parts + [b"%x" % (len(FAKE) + 3), b"\r\n", FAKE], Poll(0.5),
                  [b"yyy", b"\r\n"] + parts + [b"0\r\n\r\n"])

    do_fake_end_twice = do_fake_end_again = do_fake_end

    # the data of a chunk, or a part of it, comes from a file
    def do_chunk_file(self):
        with open(sys.argv[2], "rb") as f:
            self.send(head(b"200 OK", CHUNKED), 0.02, b"%x\r\n" % 20000)
            self.sock.sendfile(f, 0, 10000)
            self.send(Poll(1.6))
            self.sock.sendfile(f, 10000, 10000)
            self.send(b"\r\n0\r\n\r\n")

    def do_trailers_far(self):
        self.send(head(b"200 OK", CHUNKED) + FAR + b"0\r\nServer-Timing: db;dur=1\r\n\r\n")

    def do_trailers_apart(self):
        self.send(head(b"200 OK", CHUNKED) + FAR, 0.1, b"0\r\nA: b\r\n", 0.1,
                  b"Server-Timing: db;dur=", Poll(0.5), b"1\n\n")

    def do_last_chunk_far(self):
        self.send(head(b"200 OK", CHUNKED) + FAR, 0.1, b"0\r", Poll(0.5), b"\n\r\n")

    # data that looks like another answer's head
    def do_chunk_status_line(self):
        b = b"HTTP/1.1 500 Oops\r\n" + CHUNKED + b"\r\n0\r\n\r\n"
        self.send(head(b"200 OK", CHUNKED) + b"%x\r\n" % (3 * len(b)), 0.05, b, 0.1, b, Poll(0.5),
                  b + b"\r\n0\r\n\r\n")

    # says chunked, but HEAD was asked, or nothing has changed
    def do_head_chunked(self):
        self.send(head(b"200 OK", COOKIES + CHUNKED))

    def do_unchanged(self):
        self.send(head(b"304 Not Modified", COOKIES + CHUNKED))

    def do_duplex_far(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nready\r\n")
        self.body(30000)
        self.send(FAR, b"%x\r\n" % (len(FAKE) + 3) + FAKE, Poll(0.5), b"yyy\r\n0\r\n\r\n")

    def do_reset(self):
        self.send(head(b"200 OK", COOKIES + length(5)) + b"hello")

    # bodies that pause
    def do_pause_length(self):
        self.send(head(b"200 OK", length(20)) + b"x" * 10, 1.6, b"y" * 10)

    def do_pause_length_long(self):
        self.send(head(b"200 OK", COOKIES + length(20)) + b"x" * 10, 1.6, b"y" * 10)

    def do_pause_chunks(self):
        self.send(head(b"200 OK", COOKIES + CHUNKED) + b"5\r\nhello\r\n", 1.6,
                  b"5\r\nworld\r\n0\r\n\r\n")

    # bytes of a body that look like something else
    def do_status_line(self):
        b = b"HTTP/1.1 500 Oops\r\nX: y\r\n\r\ntranscript"
        self.send(head(b"200 OK", length(2 * len(b))), b, 0.2, b)

    def do_refused(self):
        self.send(head(b"413 Too Large", length(0)))
        self.body(5000)

    def do_duplex(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nready\r\n")
        self.body(30000)
        self.send(b"4\r\ndone\r\n0\r\n\r\n")

    # chunked requests: read and answered, answered while they come, refused, and one whose last
    # chunk nobody reads before the answer
    def do_upload(self):
        self.chunks()
        self.do_ok()

    def do_duplex_chunks(self):
        self.send(head(b"200 OK", CHUNKED) + b"5\r\nready\r\n")
        self.chunks()
        self.send(b"4\r\ndone\r\n0\r\n\r\n")

    def do_refused_chunks(self):
        self.send(head(b"413 Too Large", length(0)))
        self.chunks()

    def do_continue(self):
        self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.chunks()
        self.do_ok()

    def do_before_last_chunk(self):
        self.chunk()
        self.do_ok()
        self.chunks()

    # heads that are longer than what is kept of them
    def do_long_head(self):
        self.send(head(b"200 OK", 4 * COOKIES + length(30)) + b"x" * 10, Poll(1.6), b"x" * 10,
                  0.1, b"y" * 10)

    def do_longest_head(self):
        self.send(head(b"200 OK", 16 * COOKIES + length(30)) + b"x" * 10, 0.3, b"x" * 10, Poll(1.6),
                  b"y" * 10)

    def do_long_request(self):
        self.body(10)
        self.do_ok()

    # a record of FastCGI: type, content, padding
    @staticmethod
    def record(kind, content=b"", pad=0, ident=1):
        return struct.pack("!BBHHBB", 1, kind, ident, len(content), pad, 0) + content + bytes(pad)

    def fastcgi(self):
        out, end = b"Content-type: text/html\r\n\r\n", self.record(3, bytes(8))
        while True:
            params = b""
            while True:
                while len(self.buf) < 8:
                    if not self.more():
                        self.sock.close()
                        return
                _, kind, _, n, pad, _ = struct.unpack("!BBHHBB", self.buf[:8])
                self.body(8)
                while len(self.buf) < n + pad and self.more():
                    pass
                if kind == 4:
                    params += self.buf[:n]
                self.buf = self.buf[n + pad:]
                if kind == 5 and not n:
                    break
            if b"/end_halves.php" in params:
                self.send(self.record(6, out, 3), end[:8], Poll(0.3), end[8:])
            elif b"/end_thirteen.php" in params:
                self.send(self.record(6, out) + end[:13], Poll(0.3), end[13:])
            elif b"/end_printed.php" in params:
                page = self.record(6, out + end + b"more", 5)
                at = page.index(end) + len(end)
                self.send(page[:at], Poll(0.5), page[at:] + end)
            elif b"/end_of_another.php" in params:
                self.send(self.record(6, out + 40000 * b"x") + self.record(3, bytes(8), 0, 2),
                          Poll(0.3), end)
            else: # records in parts, headers too
                page = self.record(6, out + 20000 * b"x", 7)
                self.send(page[:5], Poll(0.1), page[5:3000], Poll(0.1),
                          page[3000:] + self.record(6) + end[:3], Poll(0.1), end[3:])

    # a protocol that is not known
    def words(self):
        while self.buf:
            self.buf = b""
            self.send(b"354 ok\r\n")
            self.more()
        self.sock.close()

    # the least of HTTP/2: what only concerns the connection, then a stream
    def http2(self):
        self.body(24 + 9)
        self.send(b"\0\0\0\4\0\0\0\0\0")
        self.body(9)
        while True:
            while len(self.buf) < 12:
                if not self.more():
                    self.sock.close()
                    return
            self.body(12)
            self.send(0.3, b"\0\0\1\1\5\0\0\0\1\x88")

    def do_big(self):
        n = os.path.getsize(sys.argv[2])
        self.send(head(b"200 OK", COOKIES + length(n)))
        with open(sys.argv[2], "rb") as f:
            self.sock.sendfile(f)


web.accept(sys.argv[1], Conn)
