"""Host names: what a resolver can be asked for, and what its refusals mean."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import ip_address

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.redaction import Mask, quoted

_NO_NAME = ("dns.nxdomain", "no such name")
_NO_DATA = ("dns.nodata", "the name has no address of the wanted family")
_REASONS = {
    socket.EAI_NONAME: _NO_NAME,
    socket.EAI_NODATA: _NO_DATA,
    socket.EAI_ADDRFAMILY: _NO_DATA,
    socket.EAI_AGAIN: ("dns.servfail", "the resolver gave no answer"),
    socket.EAI_FAIL: ("dns.servfail", "the resolver answered with an error"),
}


def encoded(host: str, mask: Mask = str) -> str:
    """A host as a resolver takes it: international names in their ASCII form; ``mask`` hides secrets in what is quoted.

    Raises:
        Failure: ``dns.malformed`` for what cannot be looked up at all.
    """
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _well_formed(name):
        raise Failure("dns.malformed", f"{quoted(host, mask)} is not a host name")
    return name


def lookup_failure(host: str, error: OSError) -> Failure:
    """The failure that a resolver's error amounts to."""
    if isinstance(error, TimeoutError):
        return Failure("dns.timeout", f"{host}: the name was not resolved in time")
    reason, detail = _REASONS.get(error.errno or 0, ("dns.servfail", str(error)))
    return Failure(reason, f"{host}: {detail}")


@lru_cache(maxsize=4096)
def needs_lookup(host: str) -> bool:
    """Whether a host is a name that only a resolver knows, and neither an address nor this machine."""
    return host not in ("", "localhost") and not is_address(host)


def is_address(name: str) -> bool:
    """Whether a host is written as an address."""
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _well_formed(name: str) -> bool:
    """Whether a name is an address, or consists of labels as RFC 1035, section 2.3.4, allows them."""
    labels = name.removesuffix(".").split(".")
    return is_address(name) or (len(name) <= 253 and all(0 < len(label) <= 63 for label in labels))
