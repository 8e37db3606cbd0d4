"""Which Host names are ours, so that no name of somebody else's can be pointed at us (DNS rebinding)."""

from __future__ import annotations

import re
from ipaddress import ip_address

from nightowl.web.handlers import LOOPBACK_NAMES, WebSettings

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(:[0-9]*)?")


def host_name(host: str) -> str:
    """A Host header without its port, lower case (empty: it is no host with or without a port)."""
    found = _HOST.fullmatch(host.lower())
    return found[1] if found else ""


def is_ours(host: str, settings: WebSettings) -> bool:
    """Whether a request with this Host header is for us.

    On loopback: by a loopback name, and by the names that the configuration gives. On any other address also by an
    address itself and by a name without a dot, as neither can be registered and pointed here by anybody else.
    """
    name = host_name(host)
    if name in LOOPBACK_NAMES or name in settings.allowed_hosts:
        return True
    if settings.public_host and name == host_name(settings.public_host):
        return True
    return not settings.is_loopback and (_is_address(name) or (name != "" and "." not in name and ":" not in name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
