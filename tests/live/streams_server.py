# SPDX-License-Identifier: GPL-2.0-only
"""A server of one thread a connection whose connections become something else than HTTP/1, for
streams.sh: streams_server.py PORT"""
import base64
import hashlib
import sys
import time

import web

H2_SETTINGS = b"\0\0\0\4\0\0\0\0\0"
H2_ACK = b"\0\0\0\4\1\0\0\0\0"


def head(status, *fields):
    return ("HTTP/1.1 %s\r\n%s\r\n" % (status, "".join(f + "\r\n" for f in fields))).encode()


class Conn(web.Conn):
    def take_head(self):
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            text += self.take(1)
        return text.decode()

    def serve(self):
        try:
            while True:
                text = self.take_head()
                path = text.split(" ")[1]
                getattr(self, "do_" + path.split("?")[0][1:], self.do_slow)(text)
        except (EOFError, OSError):
            self.sock.close()

    def do_slow(self, _):
        time.sleep(0.1)
        self.sock.sendall(head("200 OK", "Content-Length: 2") + b"ok")

    # a body that takes its time, and events that do
    def do_body(self, _):
        self.sock.sendall(head("200 OK", "Transfer-Encoding: chunked"))
        for _ in range(5):
            time.sleep(0.2)
            self.sock.sendall(b"5\r\nhello\r\n")
        self.sock.sendall(b"0\r\n\r\n")

    def do_sse(self, _):
        self.sock.sendall(head("200 OK", "Content-Type: text/event-stream", "Connection: close"))
        for i in range(4):
            time.sleep(0.3 if i else 0)
            self.sock.sendall(b"data: x\n\n")
        self.sock.close()
        raise EOFError

    # a message "echo" is answered after 50 ms, "push" 600 ms later and unasked, others not at all
    def do_ws(self, text):
        key = [f.split(": ")[1] for f in text.split("\r\n") if f.startswith("Sec-WebSocket-Key")][0]
        accept = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.sock.sendall(head("101 Switching Protocols", "Upgrade: websocket",
                               "Connection: Upgrade",
                               "Sec-WebSocket-Accept: " + base64.b64encode(accept).decode()))
        while True:
            n = self.take(2)[1] & 127
            mask = self.take(4)
            word = bytes(b ^ mask[i % 4] for i, b in enumerate(self.take(n)))
            if word in (b"echo", b"push"):
                time.sleep(0.05 if word == b"echo" else 0.6)
                self.sock.sendall(b"\x81\4" + word)

    # upgraded to HTTP/2: the answer itself comes there; each stream takes 100 ms
    def do_h2c(self, _):
        self.sock.sendall(head("101 Switching Protocols", "Connection: Upgrade", "Upgrade: h2c") +
                          H2_SETTINGS)
        self.take(24)
        streams = [1]
        while True:
            for stream in streams:
                time.sleep(0.1)
                self.sock.sendall(b"\0\0\1\1\5" + stream.to_bytes(4, "big") + b"\x88")
            frame = self.take(9)
            self.take(int.from_bytes(frame[:3], "big"))
            streams = [int.from_bytes(frame[5:], "big")] if frame[3] == 1 else []
            if frame[3] == 4 and not frame[4]:
                self.sock.sendall(H2_ACK)


web.accept(sys.argv[1], Conn)
