"""The guarded way to open a connection, for every probe that does not go through libcurl."""

from __future__ import annotations

import socket
from collections.abc import Callable
from errno import EMFILE, ENFILE
from time import monotonic
from typing import Any

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.guard import Decide, refusal
from nightowl.adapters.probes.lookups import AddressInfo, Family
from nightowl.adapters.probes.names import encoded, lookup_failure
from nightowl.adapters.probes.reasons import explain_socket
from nightowl.core.values import Phases
from nightowl.ports import Connect

Resolve = Callable[[str, Family, float], AddressInfo]
"""Host, family and seconds to addresses; raises ``OSError``, of which ``TimeoutError`` is one."""


def connector(family: Family, decide: Decide, resolve: Resolve) -> Connect:
    """A ``ports.Connect`` for an address family, under a guard."""

    def connect(host: str, port: int, deadline: float) -> socket.socket:
        began = monotonic()
        addresses = lookup(host, family, deadline, resolve)
        dns = monotonic() - began
        failure: Failure | None = None
        for number, (kind, _, protocol, _, address) in enumerate(addresses):
            refused = refusal(decide, address[0], port)
            if refused is not None:
                failure = failure or refused
                continue
            # An address that swallows packets must leave time for those after it.
            share = (deadline - monotonic()) / (len(addresses) - number)
            try:
                return _open(kind, protocol, (address[0], port, *address[2:]), share)
            except OSError as error:
                took = Phases(dns=dns, connect=monotonic() - began - dns)
                failure = _explained(error, address[0], took)
        assert failure is not None
        raise failure

    return connect


def lookup(host: str, family: Family, deadline: float, resolve: Resolve) -> AddressInfo:
    """The addresses of a host, at least one.

    Raises:
        Failure: ``dns.*``.
    """
    name = encoded(host)
    began = monotonic()
    try:
        return resolve(name, family, max(deadline - began, 0.001))
    except OSError as error:
        cause = lookup_failure(host, error)
    raise Failure(cause.reason, cause.detail, phases=Phases(dns=monotonic() - began))


def _open(family: int, protocol: int, address: tuple[Any, ...], seconds: float) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        opened.settimeout(max(seconds, 0.001))
        opened.connect(address)
    except BaseException:
        opened.close()
        raise
    return opened


def _explained(error: OSError, address: str, phases: Phases) -> Failure:
    if isinstance(error, TimeoutError):
        return Failure("connect.timeout", "no connection within the time", phases=phases, address=address)
    if error.errno in (EMFILE, ENFILE):
        return explain_socket(error)
    cause = explain_socket(error)
    return Failure(cause.reason, cause.detail, phases=phases, address=address)
