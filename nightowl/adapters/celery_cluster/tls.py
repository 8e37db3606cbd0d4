"""What is told of TLS to a watched cluster's broker, in one form.

NightOwl's ``[cluster.NAME] ssl`` is a ``Tls``. Celery's ``broker_use_ssl`` names the files as py-amqp (``ca_certs``,
``certfile``, ``keyfile``, ``cert_reqs``) or redis-py (``ssl_ca_certs`` ...) does, and so does the query of a
``rediss://`` URL.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from nightowl.core.cluster.settings import Tls

Told = Tls | Mapping[str, Any] | bool | None
"""What a configuration or Celery says: the options, whether TLS is spoken at all, or nothing."""


def context(how: Tls) -> ssl.SSLContext:
    """Return what a socket is wrapped with. Raises ``OSError`` for files that cannot be used."""
    found = ssl.create_default_context(cafile=how.ca or None)
    found.check_hostname = how.verify and how.named
    if not how.verify:
        found.verify_mode = ssl.CERT_NONE
    if how.certificate:
        found.load_cert_chain(how.certificate, how.key or None, password=str)
    return found


def tls(told: Told, *, always: bool) -> Tls | None:
    """Return how TLS is spoken; None: it is not. ``always``: the URL asks for it whatever else is told."""
    if isinstance(told, Tls):
        return told
    options: dict[str, Any] = {}
    if isinstance(told, Mapping):
        options = {key.removeprefix("ssl_"): value for key, value in told.items() if value not in ("", None)}
    if not (options or told is True or always):
        return None

    def file(*names: str) -> str:
        return next((str(options[name]) for name in names if options.get(name)), "")

    return Tls(
        ca=file("ca", "ca_certs"),
        certificate=file("certificate", "certfile"),
        key=file("key", "keyfile"),
        verify=_verified(options.get("cert_reqs")),
        named=str(options.get("check_hostname", True)).lower() != "false",
    )


def _verified(requirement: object) -> bool:
    """Whether a requirement of OpenSSL's, or its name, asks for a certificate."""
    return requirement is None or str(getattr(requirement, "name", requirement)).lower() not in (
        "cert_none",
        "none",
        "0",
    )
