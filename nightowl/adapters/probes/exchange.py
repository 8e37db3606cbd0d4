"""One http attempt on its way: its hops, what arrives, and what is made of it in the end."""

from __future__ import annotations

import _socket
import os
from errno import EMFILE, ENFILE
from time import monotonic, time
from typing import Any

import pycurl

from nightowl.adapters.probes import expectations
from nightowl.adapters.probes.body import EXCERPT, MAX_BODY, MAX_HEADERS, decode, decompress, excerpt
from nightowl.adapters.probes.certificate import report
from nightowl.adapters.probes.expectations import Headers
from nightowl.adapters.probes.failure import Failure, state_of
from nightowl.adapters.probes.guard import Decide
from nightowl.adapters.probes.plan import Plan, request_options
from nightowl.adapters.probes.reasons import Ending, explain, explain_socket
from nightowl.adapters.probes.redirects import REDIRECTS, follow, origin
from nightowl.core.values import Attempt, Certificate, Phases, State

_END_OF_HEADERS = (b"\r\n", b"\n")


class _Opened:
    """A descriptor handed to pycurl, which duplicates it: this one is closed with the object."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def __del__(self) -> None:
        os.close(self._descriptor)


class Exchange:
    """An attempt at an http or https target; it is configured onto a handle once per hop."""

    __slots__ = (
        "_address", "_answered", "_certificate", "_chunks", "_deadline", "_decide", "_failure", "_final",
        "_header_bytes", "_hop_started", "_lines", "_plan", "_received", "_refused", "_request", "_spent", "_started",
        "_total", "_visited",
    )  # fmt: skip

    def __init__(self, plan: Plan, decide: Decide | None, deadline: float) -> None:
        """``decide`` is the address guard (None: everything is allowed), ``deadline`` in monotonic seconds."""
        self._plan = plan
        self._request = plan.first
        self._decide = decide
        self._deadline = deadline
        self._started = time()
        self._visited: tuple[str, ...] = (plan.first.url,)
        self._spent: list[float] | None = None
        self._total = 0.0
        self._address = ""
        self._certificate: Certificate | None = None
        self._failure: Failure | None = None
        self._refused: Failure | None = None

    # -- a hop ------------------------------------------------------------------------------------------------------

    def configure(self, curl: pycurl.Curl) -> None:
        """Set a fresh handle up for the current hop."""
        self._chunks: list[bytes] = []
        self._lines: list[bytes] = []
        self._header_bytes = self._received = 0
        self._final = 0.0
        self._answered = False
        self._hop_started = monotonic()
        plan = self._plan
        setopt = curl.setopt
        for option, value in plan.constants:
            setopt(option, value)
        options = plan.options if self._request is plan.first else request_options(plan.target, self._request)
        for option, value in options:
            setopt(option, value)
        left = max(1, int((self._deadline - self._hop_started) * 1000))
        setopt(pycurl.TIMEOUT_MS, left)
        setopt(pycurl.CONNECTTIMEOUT_MS, left)
        setopt(pycurl.WRITEFUNCTION, self._write)
        setopt(pycurl.HEADERFUNCTION, self._header)
        if self._decide is not None:
            setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    def _open(self, _purpose: int, address: Any) -> Any:
        host, port = address.addr[:2]
        refusal = self._decide(host, port) if self._decide is not None else ""
        if refusal:
            what = host if refusal == "address" else f"port {port} of {host}"
            self._refused = Failure(f"policy.{refusal}", f"this location may not reach {what}", address=host)
            return pycurl.SOCKET_BAD
        try:
            return _Opened(_socket.socket(address.family, address.socktype, address.protocol).detach())
        except OSError as error:
            if error.errno in (EMFILE, ENFILE):
                self._refused = explain_socket(error)
            return pycurl.SOCKET_BAD

    def _header(self, line: bytes) -> int | None:
        self._header_bytes += len(line)
        if self._header_bytes > MAX_HEADERS:
            self._failure = Failure("limit.headers", "the headers are larger than 64 KiB")
            return 0
        if self._lines and line.startswith(b"HTTP/"):  # after an interim answer (1xx): only now the wait has ended
            self._final = monotonic() - self._hop_started
            self._lines.clear()
        self._lines.append(line)
        self._answered = line in _END_OF_HEADERS
        return None

    def _write(self, chunk: bytes) -> int | None:
        if self._received < self._plan.keep or self._encoded():
            self._chunks.append(chunk)
        self._received += len(chunk)
        if self._received > MAX_BODY:
            self._failure = Failure("limit.body", "the body is larger than 1 MiB")
            return 0
        return None

    def _encoded(self) -> bool:
        """Whether the body is compressed, so that all of it is needed to know that it is whole."""
        return any(line[:17].lower() == b"content-encoding:" for line in self._lines)

    @property
    def host(self) -> str:
        """The host of the current hop."""
        return origin(self._request.url)[1]

    # -- its end ----------------------------------------------------------------------------------------------------

    def ended(self, curl: pycurl.Curl, code: int, message: str) -> Attempt | None:
        """The attempt that a finished hop makes (None: it was redirected, and the next hop wants to be configured)."""
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        answered = self._answered and status >= 200
        times = self._measure(curl, answered=answered)
        https = self._request.url.startswith("https:")
        target = self._plan.target
        reason = detail = shown = ""
        try:
            if self._failure is not None:
                raise self._failure
            if code:
                raise self._explained(curl, code, message, times, https=https, answered=answered)
            if https:
                self._keep(report(_chain(curl)))
            if status in REDIRECTS and target.redirects:
                self._redirect(curl, status)
                return None
            self._judge(status)
        except Failure as failure:
            reason, detail = failure.reason, failure.detail
            if https and reason.startswith("tls."):
                self._certificate = report(_chain(curl), reason) or self._certificate
            if not reason.startswith(("policy.", "redirect.")):
                shown = excerpt(b"".join(self._chunks)[:EXCERPT]) if self._chunks else ""
            state = state_of(reason)
        else:
            state = State.UP
            reason, detail = expectations.shortcomings(target.warn, self._total, self._certificate, self._started)
            if reason:
                state = State.DEGRADED
        mask = self._plan.mask
        return Attempt(
            state=state,
            started=self._started,
            duration=self._total,
            phases=self._phases(),
            status=status or None,
            address=self._address,
            reason=reason,
            detail=mask(detail) if detail else "",
            certificate=self._certificate,
            excerpt=mask(shown) if shown else "",
        )

    def _explained(
        self, curl: pycurl.Curl, code: int, message: str, times: tuple[float, ...], *, https: bool, answered: bool
    ) -> Failure:
        if code == pycurl.E_COULDNT_CONNECT and self._refused is not None:
            self._address = self._refused.address
            return self._refused
        return explain(
            Ending(
                code=code,
                message=message,
                os_error=curl.getinfo(pycurl.OS_ERRNO),
                verify=curl.getinfo(pycurl.SSL_VERIFYRESULT) if https else 0,
                https=https,
                lookup=times[0],
                connect=times[1],
                tls=times[2],
                answered=answered,
            )
        )

    def _redirect(self, curl: pycurl.Curl, status: int) -> None:
        location = curl.getinfo(pycurl.REDIRECT_URL)
        self._request = follow(self._request, status, location, self._visited, self._plan.target.redirects)
        self._visited = (*self._visited, self._request.url)

    def _judge(self, status: int) -> None:
        """Raise the failure of the first expectation that the answer breaks."""
        expect = self._plan.target.expect
        data = b"".join(self._chunks)
        kind = ""
        if expect.header or self._plan.keep == MAX_BODY or self._encoded():
            headers = Headers(self._lines)
            data = decompress(data, headers.get("content-encoding", ""))
            self._chunks = [data]
            kind = headers.get("content-type", "")
            expectations.judge_status(expect, status)
            expectations.judge_headers(expect, headers)
            expectations.judge_body(expect, lambda: decode(data, kind))
        else:
            expectations.judge_status(expect, status)

    # -- what was measured ------------------------------------------------------------------------------------------

    def _measure(self, curl: pycurl.Curl, *, answered: bool) -> tuple[float, ...]:
        """Add the hop's phases to the attempt's; return the moments at which its phases ended (0: did not)."""
        info = curl.getinfo
        total = info(pycurl.TOTAL_TIME)
        moments = (
            info(pycurl.NAMELOOKUP_TIME),
            info(pycurl.CONNECT_TIME),
            info(pycurl.APPCONNECT_TIME),
            (self._final or info(pycurl.STARTTRANSFER_TIME)) if answered else 0.0,
            total,
        )
        self._total += total
        self._address = info(pycurl.PRIMARY_IP) or self._address
        spent = self._spent = self._spent or [-1.0] * 5  # -1: never began
        before = 0.0
        https = self._request.url.startswith("https:")
        for phase, moment in enumerate(moments):
            if phase == 2 and not https:
                continue
            end = moment or total
            spent[phase] = max(spent[phase], 0.0) + max(end - before, 0.0)
            before = end
            if not moment:
                break
        return moments

    def _phases(self) -> Phases:
        dns, connect, tls, first_byte, transfer = (None if spent < 0 else spent for spent in self._spent or ())
        return Phases(dns=dns, connect=connect, tls=tls, first_byte=first_byte, transfer=transfer)

    def _keep(self, certificate: Certificate | None) -> None:
        """Of the certificates met on the way, keep the one that expires first."""
        kept = self._certificate
        if kept is None or (certificate is not None and certificate.not_after < kept.not_after):
            self._certificate = certificate


def _chain(curl: pycurl.Curl) -> tuple[Any, ...]:
    return tuple(curl.getinfo(pycurl.INFO_CERTINFO))
