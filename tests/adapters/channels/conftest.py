"""Real receivers on loopback: an HTTP server that follows a script, and mail servers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from nightowl.core.values import Incident, Notice
from tests.notices import SHOP, make_notice

ACCOUNT = ("owl", "hoot-7c1f")


@pytest.fixture
def incident() -> Incident:
    return SHOP


@pytest.fixture
def notice() -> Callable[..., Notice]:
    """Make a notice, of the incident of these tests where no other is given."""
    return make_notice


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What arrived; ``answer`` handles the next requests (default: 200)."""

    url: str
    requests: list[Received] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] = lambda handler: send_reply(handler, 200)
    closing: Event = field(default_factory=Event)


def send_reply(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"ok", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def account() -> tuple[str, str]:
    return ACCOUNT


@pytest.fixture
def reply() -> Callable[..., None]:
    return send_reply


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from _serve(None)


@pytest.fixture
def tls_receiver(server_tls: ssl.SSLContext) -> Iterator[Receiver]:
    yield from _serve(server_tls)


def _serve(tls: ssl.SSLContext | None) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append(Received(self.path, dict(self.headers), body))
            found.answer(self)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that hangs up is what some tests want
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found = Receiver(url=f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/hook")
    server.ending = found.closing
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.closing.set()
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Mailbox:
    """Takes mail, and says what the script says to recipients and data."""

    messages: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    data_reply: str = "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.data_reply.startswith("250"):
            self.messages.append(envelope.content)
            self.recipients.append(envelope.rcpt_tos)
        return self.data_reply


def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == ACCOUNT
    return AuthResult(success=good, handled=False)


@dataclass
class MailServer:
    port: int
    mailbox: Mailbox


MailServers = Callable[..., MailServer]


@pytest.fixture
def mail_server(server_tls: ssl.SSLContext) -> Iterator[MailServers]:
    """Start mail servers: ``security`` as in the channel, ``account``: sign in first."""
    controllers: list[Controller] = []

    def start(security: str = "none", *, account: bool = False) -> MailServer:
        mailbox = Mailbox()
        options: dict[str, Any] = {"ssl_context": server_tls} if security == "tls" else {}
        if security == "starttls":
            options |= {"tls_context": server_tls, "require_starttls": True}
        if account:
            options |= {"auth_required": True, "authenticator": authenticate}
            options |= {"auth_require_tls": security == "starttls"}
        controller = Controller(mailbox, hostname="127.0.0.1", port=unused_port(), **options)
        controller.start()
        controllers.append(controller)
        return MailServer(controller.port, mailbox)

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def free_port() -> int:
    return unused_port()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
