"""What a server does to whoever asks: one method a fault, over real sockets."""

import gzip
import socket
import struct
import threading

BOMB = gzip.compress(b"\0" * (32 << 20))
PAGE = gzip.compress(b"a page that is long enough to be worth compressing " * 50)


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hear_out(peer: socket.socket) -> None:
    """Say no more, and wait for the other side to end: closing with unread data would reset the connection."""
    peer.shutdown(socket.SHUT_WR)
    while peer.recv(4096):
        pass


class Behaviours:
    """What a server does with a connection whose request was read. Methods are named for the fault."""

    def __init__(self, stopped: threading.Event) -> None:
        self.stopped = stopped

    def fine(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"hello from a healthy shop"))

    def silent(self, peer: socket.socket, request: bytes) -> None:
        self.stopped.wait()

    def slow_headers(self, peer: socket.socket, request: bytes) -> None:
        self.drip(peer, b"HTTP/1.1 200 OK\r\nX-Slow: ")

    def slow_body(self, peer: socket.socket, request: bytes) -> None:
        self.drip(peer, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")

    def drip(self, peer: socket.socket, start: bytes, *, pause: float = 0.05) -> None:
        peer.sendall(start)
        while not self.stopped.wait(pause):
            peer.sendall(b"x")

    def reset(self, peer: socket.socket, request: bytes) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def reset_in_body(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"half", length=1000))
        self.reset(peer, request)

    def empty(self, peer: socket.socket, request: bytes) -> None:
        pass

    def truncated(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"half", length=1000))

    def chunks_truncated(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    def chunks_garbled(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")

    def two_lengths(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nhello")

    def garbage(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"\x00\x01\x02 this is not http at all\r\n\r\n")

    def status_000(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"hello", status="000 OK"))

    def huge_length(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"8 bytes.", length=99999999999999999999999))

    def huge(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"x" * (2 << 20)))

    def endless(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not self.stopped.is_set():
            peer.sendall(b"x" * 65536)

    def huge_headers(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 2000 + b"\r\n")

    def endless_header(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Filler: ")
        while not self.stopped.is_set():
            peer.sendall(b"x" * 65536)

    def compressed(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(PAGE, "Content-Encoding: gzip"))

    def encoding_in_trailer(self, peer: socket.socket, request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Encoding\r\n\r\n"
        peer.sendall(head + b"5\r\nhello\r\n0\r\nContent-Encoding: gzip\r\nContent-Type: text/plain; charset=x\r\n\r\n")

    def bomb(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(BOMB, "Content-Encoding: gzip"))

    def gzip_truncated(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(PAGE[:-12], "Content-Encoding: gzip"))

    def gzip_garbled(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"no gzip", "Content-Encoding: gzip"))

    def unavailable(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"down for maintenance", status="503 Service Unavailable"))

    def missing(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"no such page", status="404 Not Found"))

    def accepted(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"ok", status="202 Accepted"))

    def json(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b'{"ok": true, "items": [{"price": 1}, {"price": 1}]}', "Content-Type: application/json"))

    def deep_json(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"[" * 500 + b"]" * 500))

    def wrong_charset(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"\xff\xfe\xfd", "Content-Type: text/plain; charset=utf-8"))

    def echo(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(request, status="500 Internal Server Error"))

    def hints(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        self.stopped.wait(0.2)
        peer.sendall(answer(b"late"))

    def redirect_loop(self, peer: socket.socket, request: bytes) -> None:
        self.redirect(peer, request.split()[1].decode())

    def redirect_far(self, peer: socket.socket, request: bytes) -> None:
        self.redirect(peer, request.split()[1].decode() + "x")

    def redirect_nowhere(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(status="302 Found"))

    def redirect_to_bytes(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /caf\xe9?\xff\r\n\r\n")

    def redirect_to_noise(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://\xe9\xff/\r\n\r\n")

    def redirect_to_file(self, peer: socket.socket, request: bytes) -> None:
        self.redirect(peer, "file:///etc/passwd")

    def redirect_to_metadata(self, peer: socket.socket, request: bytes) -> None:
        self.redirect(peer, "http://169.254.169.254/latest/meta-data/")

    def redirect_as_asked(self, peer: socket.socket, request: bytes) -> None:
        self.redirect(peer, request.split()[1].decode().partition("?to=")[2])

    def redirect(self, peer: socket.socket, where: str) -> None:
        peer.sendall(answer(b"moved", f"Location: {where}", status="302 Found"))

    def banner(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"220 mail.example ESMTP ready\r\n")


SETTINGS = b"\0\0\0\x04\0\0\0\0\0"


class HostileBehaviours(Behaviours):
    """What no server does by mistake."""

    def loris(self, peer: socket.socket, request: bytes) -> None:
        self.drip(peer, b"HTTP/1.1 200 OK\r\nX-Slow: ", pause=1.0)

    def loris_in_body(self, peer: socket.socket, request: bytes) -> None:
        self.drip(peer, b"HTTP/1.1 200 OK\r\n\r\n", pause=1.0)

    def reset_in_headers(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Half: ")
        self.reset(peer, request)

    def length_too_small(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"hello" * 1000, length=5))

    def length_negative(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"hello", length=-1))

    def chunk_of_endless_size(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello")

    def crumbs(self, peer: socket.socket, request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + b"a:\r\n" * 4900 + b"\r\n"
        self.pour(peer, head, b"1\r\nz\r\n" * 2000)

    def endless_chunk_extension(self, peer: socket.socket, request: bytes) -> None:
        self.pour(peer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"x" * 65536)

    def half_gigabyte(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(length=512 << 20))
        for _ in range(8192):
            peer.sendall(b"x" * 65536)

    def endless_headers(self, peer: socket.socket, request: bytes) -> None:
        self.pour(peer, b"HTTP/1.1 200 OK\r\n", b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1000)

    def endless_hints(self, peer: socket.socket, request: bytes) -> None:
        self.pour(peer, b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 1000)

    def endless_trailer(self, peer: socket.socket, request: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        self.pour(peer, head, b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 1000)

    def bomb_in_bomb(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(gzip.compress(BOMB), "Content-Encoding: gzip, gzip"))

    def http2_goaway(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(SETTINGS + b"\0\0\x08\x07\0\0\0\0\0" + struct.pack(">II", 0, 2))
        hear_out(peer)

    def http2_reset(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(SETTINGS + b"\0\0\x04\x03\0\0\0\0\x01" + struct.pack(">I", 2))
        self.stopped.wait(1.0)

    def http2_garbage(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"\xff" * 64)
        hear_out(peer)

    def http2_pings(self, peer: socket.socket, request: bytes) -> None:
        self.pour(peer, SETTINGS, b"\0\0\x08\x06\0\0\0\0\0________" * 100, pause=0.05)

    def plain_http(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(answer(b"this is no TLS", status="400 Bad Request"))
        self.stopped.wait(0.2)

    def reset_in_handshake(self, peer: socket.socket, request: bytes) -> None:
        peer.recv(1)
        self.reset(peer, request)

    def half_handshake(self, peer: socket.socket, request: bytes) -> None:
        peer.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")
        self.stopped.wait()

    def dripping_handshake(self, peer: socket.socket, request: bytes) -> None:
        self.drip(peer, b"\x16\x03\x03\x40\x00\x0b\x00\x3f\xf0", pause=0.5)

    def endless_handshake(self, peer: socket.socket, request: bytes) -> None:
        self.pour(peer, b"", b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xff" + b"x" * 16380)

    def pour(self, peer: socket.socket, start: bytes, more: bytes, *, pause: float = 0.0) -> None:
        """Send on and on."""
        peer.sendall(start)
        while not self.stopped.wait(pause):
            peer.sendall(more)
