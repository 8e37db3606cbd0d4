"""A server of faults on loopback: one behaviour per port, real sockets, real TLS."""

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from nightowl.adapters.probes import ThreadEngine, thread_engine
from nightowl.adapters.probes.built_in import BUILT_IN
from nightowl.core.values import Attempt, Policy, Target
from tests.adapters.probes.behaviours import HostileBehaviours, hear_out
from tests.adapters.probes.name_server import NameServer

ANYWHERE = Policy(reach="any")
NOW = datetime.now(UTC)
WEEK = timedelta(days=7)


class FaultServer:
    """Serves behaviours on ports of their own, until it is closed."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.behaviours = HostileBehaviours(self.stopped)
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
        except ssl.SSLError:
            hear_out(raw)  # so that the alert arrives

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

    def self_signed(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
        made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), NOW, NOW + WEEK)
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        return self._by_hand(made.add_extension(names, critical=False).sign(key, SHA256()), key)

    def named_in_subject_only(self) -> ssl.SSLContext:
        """An address in the common name and in no alternative name."""
        return self.context(self._ca.issue_cert("elsewhere.example", common_name="127.0.0.1"))

    def chain_incomplete(self) -> ssl.SSLContext:
        """The authority in between is not sent."""
        issued = self._ca.create_child_ca().issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = issued.cert_chain_pems[0].bytes() + issued.private_key_pem.bytes()
        with NamedTemporaryFile(suffix=".pem") as file:
            Path(file.name).write_bytes(leaf)
            context.load_cert_chain(file.name)
        return context

    def old(self) -> ssl.SSLContext:
        """Nothing newer than TLS 1.1."""
        context = self.good()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def weak(self) -> ssl.SSLContext:
        """Nothing but ciphers without encryption."""
        context = self.good()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("eNULL:@SECLEVEL=0")
        return context

    @staticmethod
    def _by_hand(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with NamedTemporaryFile(suffix=".pem") as file:
            Path(file.name).write_bytes(certificate.public_bytes(Encoding.PEM) + plain)
            context.load_cert_chain(file.name)
        return context

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
