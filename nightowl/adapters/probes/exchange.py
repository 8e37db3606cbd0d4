"""One http attempt on its way: hop after hop, and what is made of it in the end."""

from __future__ import annotations

import _socket
from posix import close  # that of os is gevent's, which looks for watchers of every descriptor
from time import monotonic, time
from typing import Any

import pycurl

from nightowl.adapters.probes.answer import Answer
from nightowl.adapters.probes.body import EXCERPT, GLIMPSE
from nightowl.adapters.probes.certificate import report
from nightowl.adapters.probes.expectations import shortcomings
from nightowl.adapters.probes.failure import Failure, state_of
from nightowl.adapters.probes.guard import Decide, refusal
from nightowl.adapters.probes.lookups import AddressInfo
from nightowl.adapters.probes.names import needs_lookup
from nightowl.adapters.probes.plan import Plan, request_options
from nightowl.adapters.probes.protocols import Protocols
from nightowl.adapters.probes.reasons import Ending, explain, explain_socket
from nightowl.adapters.probes.redaction import redacted
from nightowl.adapters.probes.redirects import REDIRECTS, follow, located, origin
from nightowl.adapters.probes.timing import Timing
from nightowl.core.values import Attempt, Certificate, State

_NO_ANSWER = Answer(0)


class _Opened:
    """A descriptor handed to pycurl, which duplicates it: this one is closed with the object."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def __del__(self) -> None:
        close(self._descriptor)


class Exchange:
    """An attempt at an http or https target: ``configure``, a transfer, ``ended``; and again, or ``conclude``."""

    __slots__ = (
        "_address", "_addresses", "_answer", "_certificate", "_deadline", "_decide", "_failure", "_hop_started",
        "_plan", "_protocols", "_refused", "_request", "_started", "_status", "_timing", "_visited",
    )  # fmt: skip

    def __init__(self, plan: Plan, decide: Decide | None, deadline: float, protocols: Protocols) -> None:
        """``decide`` is the address guard (None: everything is allowed), ``deadline`` in monotonic seconds."""
        self._plan = plan
        self._protocols = protocols
        self._request = plan.first
        self._decide = decide
        self._deadline = deadline
        self._started = time()
        self._timing = Timing()
        self._answer = _NO_ANSWER
        self._visited: tuple[str, ...] = (plan.first.url,)
        self._status = 0
        self._address = self._addresses = ""
        self._certificate: Certificate | None = None
        self._failure: Failure | None = None
        self._refused: Failure | None = None

    @property
    def name(self) -> str:
        """The name that has to be looked up for the current hop (empty: none has to be)."""
        host = self._request.host
        return host if needs_lookup(host) else ""

    def resolved(self, addresses: AddressInfo, seconds: float) -> None:
        """Take in the addresses of ``name``, and how long that took."""
        self._timing.looked_up(seconds)
        found = dict.fromkeys(f"[{address[0]}]" if ":" in address[0] else address[0] for *_, address in addresses)
        self._addresses = ",".join(found)

    def unresolved(self, failure: Failure, seconds: float) -> None:
        """Let the attempt fail for want of an address."""
        self._timing.looked_up(seconds)
        self._failure = failure

    @property
    def heavy(self) -> bool:
        """Whether ``conclude`` may take long enough to hold others up."""
        return self._failure is None and self._answer.heavy(self._plan.target.expect)

    def configure(self, curl: pycurl.Curl) -> None:
        """Set a fresh handle up for the current hop."""
        plan = self._plan
        answer = self._answer = Answer(plan.keep)
        self._hop_started = monotonic()
        setopt = curl.setopt
        for option, value in plan.constants:
            setopt(option, value)
        options = plan.options if self._request is plan.first else request_options(plan.target, self._request)
        for option, value in options:
            setopt(option, value)
        left = max(1, int((self._deadline - self._hop_started) * 1000))
        setopt(pycurl.TIMEOUT_MS, left)
        setopt(pycurl.CONNECTTIMEOUT_MS, left)
        setopt(pycurl.WRITEFUNCTION, answer.body)
        setopt(pycurl.HEADERFUNCTION, answer.header)
        if self._request.url.startswith("https:"):
            self._protocols.watch(curl, origin(self._request.url))
        if self._addresses:
            _, host, port = origin(self._request.url)
            setopt(pycurl.RESOLVE, [f"+{host}:{port}:{self._addresses}"])
            self._addresses = ""
        if self._decide is not None:
            setopt(pycurl.OPENSOCKETFUNCTION, self._open)

    def ended(self, curl: pycurl.Curl, code: int, message: str) -> bool:
        """Take in how a hop ended: libcurl's error (0: none). True: it was redirected; configure the next one."""
        status = self._status = curl.getinfo(pycurl.RESPONSE_CODE)
        https = self._request.url.startswith("https:")
        self._measure(curl, https=https)
        try:
            if self._answer.failure is not None:
                raise self._answer.failure
            if code:
                raise self._explained(curl, code, message, https=https)
            if https:
                self._keep(self._report(curl))
            if status in REDIRECTS and self._plan.target.redirects:
                self._redirect(curl.getinfo_raw(pycurl.REDIRECT_URL))
                return True
        except Failure as failure:
            self._failure = failure
            if https and failure.reason.startswith("tls."):
                self._certificate = self._report(curl, failure.reason) or self._certificate
        return False

    def fail(self, failure: Failure) -> None:
        """Let the attempt fail for a reason that no hop gave."""
        self._failure = failure

    def conclude(self) -> Attempt:
        """Judge the last answer, and make the attempt of it; needs no handle, so it may run on a worker."""
        target = self._plan.target
        reason = detail = shown = ""
        state = State.UP
        try:
            if self._failure is not None:
                raise self._failure
            self._answer.judge(target.expect, self._status, self._plan.mask)
        except Failure as failure:
            reason, detail = failure.reason, failure.detail
            state = state_of(reason)
            if not reason.startswith(("dns.", "policy.", "redirect.")):
                shown = self._answer.excerpt(self._plan.mask, EXCERPT)
        else:
            shown = self._answer.excerpt(self._plan.mask, GLIMPSE)
            reason, detail = shortcomings(target.warn, self._timing.total, self._certificate, self._started)
            if reason:
                state = State.DEGRADED
        attempt = Attempt(
            state=state,
            started=self._started,
            duration=round(self._timing.total, 6),
            phases=self._timing.phases(),
            status=self._status or None,
            address=self._address,
            reason=reason,
            detail=detail,
            certificate=self._certificate,
            excerpt=shown,
        )
        return redacted(attempt, self._plan.mask)

    def _open(self, _purpose: int, address: Any) -> Any:
        """The address guard, as the OPENSOCKETFUNCTION of libcurl."""
        host, port = address.addr[:2]
        assert self._decide is not None
        self._refused = refusal(self._decide, host, port)
        if self._refused is not None:
            return pycurl.SOCKET_BAD
        try:
            return _Opened(_socket.socket(address.family, address.socktype, address.protocol).detach())
        except OSError as error:
            self._refused = explain_socket(error)
            return pycurl.SOCKET_BAD

    def _measure(self, curl: pycurl.Curl, *, https: bool) -> None:
        answer = self._answer
        first_byte: float | None = None
        if answer.complete and self._status >= 200:
            first_byte = answer.interim - self._hop_started if answer.interim else 0.0
        self._timing.add(curl, https=https, first_byte=first_byte)
        self._address = curl.getinfo(pycurl.PRIMARY_IP) or self._address

    def _explained(self, curl: pycurl.Curl, code: int, message: str, *, https: bool) -> Failure:
        if code == pycurl.E_COULDNT_CONNECT and self._refused is not None:
            self._address = self._refused.address or self._address
            return self._refused
        return explain(
            Ending(
                code=code,
                message=message,
                os_error=curl.getinfo(pycurl.OS_ERRNO),
                verify=curl.getinfo(pycurl.SSL_VERIFYRESULT) if https else 0,
                https=https,
                lookup=self._timing.lookup,
                connect=self._timing.connect,
                tls=self._timing.tls,
                answered=self._answer.complete and self._status >= 200,
            )
        )

    def _redirect(self, found: bytes | None) -> None:
        plan = self._plan
        location = located(found, self._status, plan.mask)
        self._request = follow(self._request, self._status, location, self._visited, plan.target.redirects, plan.mask)
        self._visited = (*self._visited, self._request.url)

    def _report(self, curl: pycurl.Curl, problem: str = "") -> Certificate | None:
        chain = tuple(curl.getinfo(pycurl.INFO_CERTINFO))
        return report(chain, self._protocols.of(origin(self._request.url)), problem)

    def _keep(self, certificate: Certificate | None) -> None:
        """Of the certificates met on the way, keep the one that expires first."""
        kept = self._certificate
        if kept is None or (certificate is not None and certificate.not_after < kept.not_after):
            self._certificate = certificate
