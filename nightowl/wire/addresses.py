"""Where NightOwl itself is, which no check may reach."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec.structs import replace

from nightowl.config import Configuration
from nightowl.core.values import Location, Network

_PORTS = {
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "mysql": 3306,
    "mariadb": 3306,
    "postgresql": 5432,
}
_CHECKED = {"http": 80, "https": 443, "smtp": 25, "smtps": 465}


def link(configuration: Configuration) -> str:
    """Return where the pages are, for links in notices."""
    server = configuration.server
    if server.public_url:
        return server.public_url.rstrip("/")
    host = f"[{server.listen_host}]" if ":" in server.listen_host else server.listen_host
    scheme = "https" if server.certificate else "http"
    return f"{scheme}://{host}:{server.listen_port}{server.url_prefix}"


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def guarded_locations(configuration: Configuration) -> dict[str, Location]:
    """Return the locations with NightOwl's own addresses denied."""
    denied = own_addresses(configuration)
    return {
        name: replace(location, policy=replace(location.policy, deny=denied))
        for name, location in configuration.locations.items()
    }


def own_addresses(configuration: Configuration) -> tuple[Network, ...]:
    """Return the addresses of NightOwl's own broker, store and web, which no check may reach."""
    urls = [configuration.bus.broker, configuration.store_url]
    urls += [location.broker for location in configuration.locations.values()]
    places = [(urlsplit(url).hostname, urlsplit(url).port or _PORTS.get(_scheme(url))) for url in urls if url]
    places.append((configuration.server.listen_host, configuration.server.listen_port))
    return tuple(sorted({each for host, port in places for each in networks(host or "", port or 0)}, key=str))


def networks(host: str, port: int) -> list[Network]:
    """Return the addresses of a host with one port, as networks; none where it has none."""
    if not host or not port:
        return []
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return []
    if any(ip_address(address).is_unspecified for address in found):
        return [Network("127.0.0.0/8", (port,)), Network("::1/128", (port,))]
    return [Network(f"{address}/{ip_address(address).max_prefixlen}", (port,)) for address in found]


def place(url: str) -> tuple[str, int]:
    """Return host and port of a URL that is checked; 0 where the port is not known."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _CHECKED.get(parts.scheme, 0)


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.removeprefix("sqla+").partition("+")[0]
