"""The guarded way to open a connection, for every probe that does not go through libcurl."""

from __future__ import annotations

import socket
from collections.abc import Callable
from errno import EMFILE, ENFILE
from time import monotonic
from typing import Any

from nightowl.adapters.probes.echo import echo_socket
from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.guard import Decide, refusal
from nightowl.adapters.probes.lookups import AddressInfo, Family
from nightowl.adapters.probes.names import encoded, lookup_failure
from nightowl.adapters.probes.reasons import explain_socket
from nightowl.core.values import Phases
from nightowl.ports import Connect, Transport

Resolve = Callable[[str, Family, float], AddressInfo]
"""Host, family and seconds to addresses; raises ``OSError``, of which ``TimeoutError`` is one."""
_SOME = 1
"""A port for protocols that have none: to the kernel a peer with port 0 is no peer."""

_SOCKETS: dict[Transport, Callable[[int], socket.socket]] = {
    "tcp": lambda version: socket.socket(version, socket.SOCK_STREAM),
    "udp": lambda version: socket.socket(version, socket.SOCK_DGRAM),
    "icmp": echo_socket,
}


def connector(family: Family, decide: Decide, resolve: Resolve) -> Connect:
    """A ``ports.Connect`` for an address family, under a guard."""

    def connect(host: str, port: int, deadline: float, over: Transport = "tcp") -> socket.socket:
        began = monotonic()
        addresses = lookup(host, family, deadline, resolve)
        dns = monotonic() - began
        failure: Failure | None = None
        for number, (version, *_, address) in enumerate(addresses):
            refused = refusal(decide, address[0], port)
            if refused is not None:
                failure = failure or refused
                continue
            # An address that swallows packets must leave time for those after it.
            share = (deadline - monotonic()) / (len(addresses) - number)
            try:
                return _open(_SOCKETS[over](version), (address[0], port or _SOME, *address[2:]), share)
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


def _open(opened: socket.socket, address: tuple[Any, ...], seconds: float) -> socket.socket:
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
