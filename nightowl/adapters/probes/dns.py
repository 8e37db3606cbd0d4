"""The ``dns`` probe: one question to a name server, and what it answers."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from functools import partial
from ipaddress import ip_address
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import dns.reversename

from nightowl.adapters.probes.connect import connector
from nightowl.adapters.probes.endpoint import endpoint
from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.lookups import AddressInfo, Family
from nightowl.adapters.probes.names import encoded, is_address
from nightowl.adapters.probes.reasons import explain_socket
from nightowl.adapters.probes.redaction import quoted
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect

Server = tuple[str, int, Connect]
"""Host and port of a name server, and how it is reached."""

_LARGEST = 65535
_PAYLOAD = 1232
"""Bytes of an answer by UDP that travel everywhere without being cut to pieces (DNS flag day 2020)."""
_PAUSE = 0.005
"""Seconds between two messages that are no answer: whoever sends them without end must not hold up the others."""
_UNREADABLE = (dns.exception.DNSException, ValueError)


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Ask for the ``record`` of ``dns://name`` once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    query = _query(trial.target)
    servers = list(_servers(trial.target, connect))
    failure: Failure | None = None
    for number, server in enumerate(servers):
        now = monotonic()
        # A server that does not answer must leave time for those after it.
        share = now + (deadline - now) / (len(servers) - number)
        try:
            response = _ask(trial, query, server, share)
        except Failure as found:
            failure = failure or found
        else:
            _judge(trial, response)
            return
    raise failure or Failure("own.resolver", "this machine has no resolver of the wanted family")


def _query(target: Target) -> dns.message.QueryMessage:
    host = urlsplit(target.url).hostname or ""
    try:
        if target.record == "PTR" and is_address(host):
            name = dns.reversename.from_address(host)
        else:
            name = dns.name.from_text(encoded(host))
        return dns.message.make_query(name, target.record, use_edns=0, payload=_PAYLOAD)
    except _UNREADABLE:
        raise Failure(TARGET, f"{host[:80]!r} cannot be asked for as {target.record}: dns://name") from None


def _servers(target: Target, connect: Connect) -> Iterator[Server]:
    """The chosen resolver, under the guard; else the machine's own, which every other check asks too."""
    if target.resolver:
        yield (*endpoint(f"dns://{target.resolver}", 53), connect)
        return
    try:
        known = dns.resolver.Resolver()
    except _UNREADABLE:
        return
    for address in map(str, known.nameservers):
        if target.family in ("any", str(ip_address(address.partition("%")[0]).version)):
            yield address, known.port, _connect_freely


def _numeric(host: str, _family: Family, _seconds: float) -> AddressInfo:
    return list(socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))


_connect_freely = connector("any", lambda _host, _port: "", _numeric)


def _ask(trial: Trial, query: dns.message.QueryMessage, server: Server, deadline: float) -> Any:
    host, port, connect = server
    try:
        with trial.phase("connect"):
            opened = connect(host, port, deadline, over="udp")
        response = _by_udp(trial, query, opened, deadline)
        if response.flags & dns.flags.TC:
            with trial.phase("connect"):
                connection = connect(host, port, deadline)
            response = _by_tcp(trial, query, connection, deadline)
    except TimeoutError:
        raise Failure("dns.timeout", "the name server did not answer in time", address=trial.address) from None
    except OSError as error:
        raise explain_socket(error) from None
    return response


def _by_udp(trial: Trial, query: dns.message.QueryMessage, opened: socket.socket, deadline: float) -> Any:
    """The answer; what does not belong to the question may be anybody's and is passed over."""
    strange = False
    with opened, trial.phase("first_byte"):
        trial.address = opened.getpeername()[0]
        opened.send(query.to_wire())
        while (left := deadline - monotonic()) > 0:
            opened.settimeout(left)
            try:
                response = _read(query, opened.recv(_LARGEST))
            except TimeoutError:
                break
            if response is not None:
                return response
            strange = True
            sleep(_PAUSE)
    if strange:
        raise Failure("dns.malformed", "what came back is no answer to the question", address=trial.address)
    raise TimeoutError


def _by_tcp(trial: Trial, query: dns.message.QueryMessage, connection: socket.socket, deadline: float) -> Any:
    """The answer over TCP, where each message follows its length (RFC 1035, section 4.2.2)."""
    with connection, trial.phase("transfer"):
        stream = Stream(connection, deadline)
        wire = query.to_wire()
        stream.send(struct.pack("!H", len(wire)) + wire)
        heard = b""
        while len(heard) < 2 or len(heard) < 2 + int.from_bytes(heard[:2]):
            data = stream.receive()
            if not data:
                raise Failure("dns.malformed", "the answer ended before it was complete", address=trial.address)
            heard += data
    response = _read(query, heard[2 : 2 + int.from_bytes(heard[:2])])
    if response is None:
        raise Failure("dns.malformed", "what came back is no answer to the question", address=trial.address)
    return response


def _read(query: dns.message.QueryMessage, wire: bytes) -> dns.message.Message | None:
    """The answer to a query (None: it is none)."""
    if wire[:2] != struct.pack("!H", query.id):
        return None
    try:
        response = dns.message.from_wire(wire)
    except _UNREADABLE:
        return None
    return response if query.is_response(response) else None


def _judge(trial: Trial, response: Any) -> None:
    """Raise ``dns.*`` where there is no answer, ``assert.answers`` where an expected one is not among them."""
    name = trial.target.record
    code = response.rcode()
    if code == dns.rcode.NXDOMAIN:
        raise Failure("dns.nxdomain", "the name server says that there is no such name")
    if code != dns.rcode.NOERROR:
        raise Failure("dns.servfail", f"the name server answered {dns.rcode.to_text(code)}")
    try:
        found = response.resolve_chaining().answer
    except _UNREADABLE as error:
        raise Failure("dns.malformed", f"the answer contradicts itself: {type(error).__name__}") from None
    if not found:
        raise Failure("dns.nodata", f"the name has no {name} record")
    trial.heard = "\n".join(sorted(_text(each) for each in found)).encode()
    for wanted in trial.target.expect.answers:
        if not _among(wanted, name, found):
            raise Failure("assert.answers", f"{quoted(wanted, trial.mask)} is not among the answers")


def _among(wanted: str, record: str, found: Any) -> bool:
    if record == "TXT":
        return any(_text(each) == wanted for each in found)
    try:
        data = dns.rdata.from_text("IN", record, wanted, origin=dns.name.root, relativize=False)
    except _UNREADABLE:
        raise Failure(TARGET, f"expect.answers has what is no {record} record") from None
    return data in found


def _text(data: Any) -> str:
    """A record's data as it is written; the strings of a TXT record as one."""
    if data.rdtype == dns.rdatatype.TXT:
        return b"".join(data.strings).decode(errors="replace")
    return str(data.to_text())
