"""Writes samples to what takes Prometheus' remote-write protocol, by libcurl over a connection that is kept."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import msgspec
import pycurl

from nightowl import __version__
from nightowl.core.errors import DeliveryFailed
from nightowl.core.redaction import TELLING, hiding
from nightowl.core.sinks.beginnings import Beginnings
from nightowl.core.sinks.remote_write import HEADERS, requests
from nightowl.core.sinks.selection import relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.transfers import meaning
from nightowl.core.values import Sample
from nightowl.ports import Dropped

QUOTED = 200
"""Characters of an answer that an error quotes at most."""


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """``user:password``, or a token (empty: none)."""

    basic: str = ""
    bearer: str = ""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of this kind alone; ``ca`` is PEM text (empty: the system's)."""

    auth: Auth = Auth()
    headers: dict[str, str] = {}
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0


class RemoteWrite:
    """See ``ports.Sink``. A snapshot that is sent again overwrites itself."""

    def __init__(self, settings: SinkSettings) -> None:
        options = msgspec.convert(settings.options, Options)
        self._labels = settings.labels
        self._prefix = settings.prefix
        self._beginnings = Beginnings(settings.labels, settings.every)
        self._timeout = options.timeout
        password = options.auth.basic.partition(":")[2]
        told = (value for value in options.headers.values() if len(value) >= TELLING)
        self._hide = hiding([*settings.secrets, options.auth.basic, password, options.auth.bearer, *told])
        self._curl = pycurl.Curl()
        self._set_up(settings.url, options)

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Write all samples at their time; what is refused for good (4xx but 429) is dropped.

        The zeros of counters that are new go before them, in requests of their own, and not again where the others
        are: no receiver takes what is older than what it has of a series.
        """
        if zeros := self._beginnings.of(samples, at):
            self._write(zeros)
            self._beginnings.taken(samples, zeros[0].time)
        named = relabelled(samples, self._labels)
        refused, sent, said = self._write(named)
        self._beginnings.taken(samples, at)
        if said is not None and refused == sent:
            raise said
        dropped = {"refused": refused, "unfit": len(named) - sent}
        return {reason: count for reason, count in dropped.items() if count}

    def close(self) -> None:
        """Let the connection go."""
        self._curl.close()

    def _write(self, named: Sequence[Sample]) -> tuple[int, int, DeliveryFailed | None]:
        """Return how many samples were refused for good and how many were sent in all, and the last refusal."""
        refused = sent = 0
        said: DeliveryFailed | None = None
        for body, count in requests(named, self._prefix):
            try:
                self._post(body)
            except DeliveryFailed as error:
                if not error.permanent:
                    raise
                refused, said = refused + count, error
            sent += count
        return refused, sent, said

    def _set_up(self, url: str, options: Options) -> None:
        curl = self._curl
        headers = {**HEADERS, **options.headers, "Expect": ""}
        if options.auth.bearer:
            headers["Authorization"] = f"Bearer {options.auth.bearer}"
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.USERAGENT, f"NightOwl/{__version__}")
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode() for name, value in headers.items()])
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(options.timeout * 1000)))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.SSL_VERIFYPEER, 1 if options.verify else 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 2 if options.verify else 0)
        if options.auth.basic:
            curl.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
            curl.setopt(pycurl.USERPWD, options.auth.basic.encode())
        if options.ca:
            curl.setopt(pycurl.CAINFO_BLOB, options.ca.encode())
        elif (bundle := ssl.get_default_verify_paths().cafile) and Path(bundle).is_file():
            curl.setopt(pycurl.CAINFO, bundle)

    def _post(self, body: bytes) -> None:
        """Send one request. Raises ``DeliveryFailed``; what it says repeats nothing of the URL."""
        curl, answer, headers = self._curl, BytesIO(), BytesIO()
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.setopt(pycurl.WRITEFUNCTION, lambda data: answer.write(data) if answer.tell() < 2 * QUOTED else None)
        curl.setopt(pycurl.HEADERFUNCTION, headers.write)
        try:
            curl.perform()
        except pycurl.error as error:
            if error.args[0] == pycurl.E_OPERATION_TIMEDOUT:
                raise DeliveryFailed(f"no answer within {self._timeout:g} s") from None
            raise DeliveryFailed(meaning(error.args[0])) from None
        status = curl.getinfo(pycurl.RESPONSE_CODE)
        if not 200 <= status < 300:
            raise self._refusal(status, answer.getvalue(), headers.getvalue())

    def _refusal(self, status: int, body: bytes, headers: bytes) -> DeliveryFailed:
        again = status == 429 or status >= 500
        text = self._hide(" ".join(body.decode(errors="replace").split()))[:QUOTED]
        said = f"the receiver answered {status}" + (f": {text}" if text and text.isprintable() else "")
        return DeliveryFailed(said, permanent=not again, retry_after=_seconds(headers) if again else None)


def _seconds(headers: bytes) -> float | None:
    """Return what a ``Retry-After`` header asks for in seconds (None: it is not there, or a date)."""
    for line in headers.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "retry-after" and value.strip().isdigit():
            return float(value)
    return None
