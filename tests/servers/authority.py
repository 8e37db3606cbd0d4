"""A private certificate authority for servers that speak TLS, and what it has issued, as PEM files in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import trustme

HOST = "localhost"
"""The only name in the servers' certificates: by 127.0.0.1 they are reached under a wrong one."""


class Certificates:
    """An authority's ``ca``, and a ``server`` and a ``client`` with their keys; made when the folder is not there."""

    def __init__(self, folder: Path) -> None:
        self.ca = folder / "ca.pem"
        self.server, self.server_key = folder / "server.pem", folder / "server-key.pem"
        self.client, self.client_key = folder / "client.pem", folder / "client-key.pem"
        if not folder.exists():
            folder.mkdir()
            self._issue(trustme.CA())

    def _issue(self, authority: trustme.CA) -> None:
        authority.cert_pem.write_to_path(str(self.ca))
        for name, certificate, key in (
            (HOST, self.server, self.server_key),
            ("client.example", self.client, self.client_key),
        ):
            issued = authority.issue_cert(name)
            issued.cert_chain_pems[0].write_to_path(str(certificate))
            issued.private_key_pem.write_to_path(str(key))


class TlsBroker(NamedTuple):
    """A broker's URL over TLS, and what its authority has issued."""

    url: str
    certificates: Certificates
