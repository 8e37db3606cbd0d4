"""Reach: which addresses and ports a location's policy lets an attempt go to.

Decisions are pure and per address. Ranges follow the IANA special-purpose registries (RFC 6890) as of this
writing rather than ``ipaddress.is_global``, which differs between the versions of Python.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

from nightowl.core.values import Network, Policy

Address = IPv4Address | IPv6Address
Refusal = Literal["", "address", "port"]
"""Why an address is refused (empty: it is not): the detail of a ``policy`` reason."""
Blocks = list[tuple[IPv4Network | IPv6Network, tuple[int, ...]]]
Decide = Callable[[str, int], Refusal]

_NOT_GLOBAL_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_GLOBAL_6 = tuple(IPv6Network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

_METADATA = tuple(
    ip_network(block)
    for block in (
        "169.254.169.254/32",  # AWS, Google, Azure, OpenStack, DigitalOcean, Hetzner
        "169.254.170.2/32",  # AWS ECS task credentials
        "169.254.170.23/32",  # AWS EKS pod identity
        "169.254.0.23/32",  # Tencent
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure's host
        "fd00:ec2::254/128",
        "fd00:ec2::23/128",
        "fd20:ce::254/128",  # Google over IPv6
    )
)

_COMPATIBLE = IPv6Network("::/96")
_NAT64 = IPv6Network("64:ff9b::/96")


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it is a way of writing or of reaching one.

    IPv4-mapped (RFC 4291), IPv4-compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380: client).
    """
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFFFFFF
    if address in _NAT64 or (address in _COMPATIBLE and low > 1):  # :: and ::1 are IPv6's own
        return IPv4Address(low)
    return address


def addresses_of(host: str) -> tuple[str, ...]:
    """Return the addresses that a host of a URL stands for by itself; none where it is a name to be resolved."""
    if host.lower() == "localhost":
        return ("127.0.0.1", "::1")
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return ()


def is_global_unicast(address: Address) -> bool:
    """Whether an address (already unwrapped) belongs to a single host of the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_GLOBAL_4)
    return address in _GLOBAL_6 and not any(address in block for block in _NOT_GLOBAL_6)


@lru_cache(maxsize=256)
def guard(policy: Policy) -> Decide:
    """The decision ``(address, port) -> refusal`` of a policy; the last answers are remembered."""
    allow = _blocks(policy.allow)
    deny = _blocks(policy.deny)

    @lru_cache(maxsize=4096)
    def decide(host: str, port: int) -> Refusal:
        if policy.reach == "any":
            return ""
        try:
            written = ip_address(host.partition("%")[0])
        except ValueError:
            return "address"
        address = embedded(written)
        if any(address in block for block in _METADATA):
            return "address"
        if not _listed(deny, address, port) or not _listed(deny, written, port):
            return "address"
        listed = _listed(allow, address, port)
        if not listed or (policy.reach == "internet" and is_global_unicast(address)):
            return ""
        return listed

    return decide


def _blocks(networks: tuple[Network, ...]) -> Blocks:
    return [(ip_network(network.network, strict=False), network.ports) for network in networks]


def _listed(blocks: Blocks, address: Address, port: int) -> Refusal:
    """Empty where some block holds address and port, else what none of them holds."""
    within = [ports for block, ports in blocks if address in block]
    if not within:
        return "address"
    return "" if any(not ports or port in ports for ports in within) else "port"
