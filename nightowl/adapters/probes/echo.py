"""Sockets for echo requests (RFC 792, RFC 4443), and the requests and replies themselves."""

from __future__ import annotations

import socket
import struct

from nightowl.adapters.probes.failure import Failure

_HOW = (
    "this process may not send echo requests: let its group into the sysctl net.ipv4.ping_group_range, or give it "
    "CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW)"
)
_REQUEST: dict[int, int] = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY: dict[int, int] = {socket.AF_INET: 0, socket.AF_INET6: 129}
_HEADER = struct.Struct("!BBHHH")


def echo_socket(version: int) -> socket.socket:
    """A socket for echo requests: the unprivileged kind where the kernel lets us, else a raw one.

    Raises:
        Failure: ``own.permission``, with what to do about it.
    """
    protocol = socket.IPPROTO_ICMP if version == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            return socket.socket(version, kind, protocol)
        except PermissionError:
            continue
    raise Failure("own.permission", _HOW)


def request(version: int, token: bytes) -> bytes:
    """An echo request that carries ``token``."""
    head = _HEADER.pack(_REQUEST[version], 0, 0, 0, 1)
    return _HEADER.pack(_REQUEST[version], 0, _checksum(head + token), 0, 1) + token


def answers(version: int, raw: bool, packet: bytes, token: bytes) -> bool:
    """Whether a packet is the reply to the request that carried ``token``; a raw one of IPv4 still has its header."""
    if raw and version == socket.AF_INET:
        packet = packet[(packet[0] & 15) * 4 :] if packet else b""
    return packet[:1] == bytes((_REPLY[version],)) and packet[_HEADER.size :] == token


def _checksum(data: bytes) -> int:
    """The internet checksum of RFC 1071; for IPv6, and where it is unprivileged, the kernel makes its own."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
