"""Where the pages are served besides host and port: over TLS, and at a Unix socket."""

from __future__ import annotations

import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from nightowl.core.errors import ConfigurationError
from nightowl.web.app import make_app
from nightowl.web.serve import Certificates, ServerThread


@contextmanager
def serving(world: Any, **given: Any) -> Iterator[ServerThread]:
    told = threading.Event()
    server = ServerThread(make_app(world.handlers), "127.0.0.1", 0, ready=lambda _: told.set(), **given)
    server.start()
    try:
        assert told.wait(30)
        yield server
    finally:
        server.stop()


def test_pages_are_served_over_tls(empty: Any, tmp_path: Path) -> None:
    authority = trustme.CA()
    for name, cert in (("server", authority.issue_cert("127.0.0.1")), ("client", authority.issue_cert("me@shop"))):
        cert.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    pem = str(tmp_path / "server.pem")
    certificates = Certificates(certificate=pem, key=pem, client_ca=str(tmp_path / "ca.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    with serving(empty, certificates=certificates) as server:
        url = f"https://127.0.0.1:{server.port}/healthcheck"
        assert httpx.get(url, verify=trusting).text == "OK"  # a client needs no certificate
        trusting.load_cert_chain(tmp_path / "client.pem")
        assert httpx.get(url, verify=trusting).text == "OK"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_pages_are_served_at_a_socket_of_this_machine(empty: Any, tmp_path: Path) -> None:
    path = tmp_path / "owl.sock"
    for _ in range(2):  # what an earlier process left is replaced
        with serving(empty, unix_socket=str(path)) as server:
            assert server.port == 0
            assert stat.S_IMODE(path.stat().st_mode) == 0o777
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as client:
                assert client.get("/healthcheck").text == "OK"


def test_a_socket_that_cannot_be_made_is_one_clear_mistake(empty: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"server.unix_socket: found .*a path that a socket can be made at"):
        ServerThread(make_app(empty.handlers), "", 0, unix_socket=str(tmp_path / "file"))
