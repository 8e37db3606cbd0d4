"""A server of faults on loopback: one behaviour per port, real sockets, real TLS."""

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from nightowl.adapters.probes import ThreadEngine, thread_engine
from nightowl.adapters.probes.built_in import BUILT_IN
from nightowl.core.values import Attempt, Policy, Target
from tests.adapters.probes.name_server import NameServer

ANYWHERE = Policy(reach="any")
BOMB = gzip.compress(b"\0" * (32 << 20))
PAGE = gzip.compress(b"a page that is long enough to be worth compressing " * 50)
NOW = datetime.now(UTC)


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


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

    def drip(self, peer: socket.socket, start: bytes) -> None:
        peer.sendall(start)
        while not self.stopped.wait(0.05):
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


class FaultServer:
    """Serves behaviours on ports of their own, until it is closed."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.behaviours = Behaviours(self.stopped)
        self.requests: list[bytes] = []
        self._listeners: list[socket.socket] = []

    def serve(self, behaviour: str, tls: ssl.SSLContext | None = None, *, speaks_first: bool = False) -> int:
        """Serve a behaviour; the port."""
        handle: Callable[[socket.socket, bytes], None] = getattr(self.behaviours, behaviour)
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, handle, tls, speaks_first), daemon=True).start()
        return int(listener.getsockname()[1])

    def close(self) -> None:
        self.stopped.set()
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, *how: object) -> None:
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                threading.Thread(target=self._talk, args=(peer, *how), daemon=True).start()

    def _talk(self, peer: socket.socket, handle: Callable, tls: ssl.SSLContext | None, speaks_first: bool) -> None:
        with suppress(OSError), peer:
            if tls is not None:
                with peer.dup() as raw:
                    self._secure(peer, raw, handle, tls)
            else:
                self._answer(peer, handle, wait=not speaks_first)

    def _secure(self, peer: socket.socket, raw: socket.socket, handle: Callable, tls: ssl.SSLContext) -> None:
        try:
            with tls.wrap_socket(peer, server_side=True) as secure:
                self._answer(secure, handle)
        except ssl.SSLError:  # let the alert arrive: closing with unread data would reset the connection
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass

    def _answer(self, peer: socket.socket, handle: Callable, *, wait: bool = True) -> None:
        request = b""
        while wait and b"\r\n\r\n" not in request:
            data = peer.recv(65536)
            if not data:
                return
            request += data
        self.requests.append(request)
        handle(peer, request)


class Certificates:
    """Server contexts, each with something the matter; ``authority`` is the PEM to trust."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.authority = self._ca.cert_pem.bytes().decode()

    def good(self) -> ssl.SSLContext:
        return self.context(self._ca.issue_cert("127.0.0.1", "localhost"))

    def expired(self) -> ssl.SSLContext:
        return self.context(self._ca.issue_cert("127.0.0.1", not_after=NOW - timedelta(days=3)))

    def early(self) -> ssl.SSLContext:
        return self.context(self._ca.issue_cert("127.0.0.1", not_before=NOW + timedelta(days=3)))

    def expiring(self) -> ssl.SSLContext:
        return self.context(self._ca.issue_cert("127.0.0.1", not_after=NOW + timedelta(days=3)))

    def stranger(self) -> ssl.SSLContext:
        return self.context(trustme.CA().issue_cert("127.0.0.1"))

    def misnamed(self) -> ssl.SSLContext:
        return self.context(self._ca.issue_cert("elsewhere.example"))

    def demanding(self) -> ssl.SSLContext:
        context = self.good()
        self._ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client(self) -> tuple[str, str]:
        """A client's certificate and key, as PEM texts."""
        issued = self._ca.issue_cert("client@example.org")
        return issued.cert_chain_pems[0].bytes().decode(), issued.private_key_pem.bytes().decode()

    @staticmethod
    def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    server = FaultServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[ThreadEngine]:
    made = thread_engine(BUILT_IN)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def attempt(engine: ThreadEngine) -> Callable[..., Attempt]:
    """Run one attempt at a target to its end."""

    def run(url: str, policy: Policy = ANYWHERE, **target: object) -> Attempt:
        made = Target(**{"kind": url.partition(":")[0], "url": url, "timeout": 5.0, **target})  # type: ignore[arg-type]
        ended = threading.Event()
        results: list[Attempt] = []
        engine.submit(made, policy, made.timeout, lambda result: (results.append(result), ended.set()))  # type: ignore[func-returns-value]
        assert ended.wait(made.timeout + 10), "done was never called"
        assert len(results) == 1
        return results[0]

    return run
