"""Many bounded requests at once by libcurl, over connections that are kept.

Redirects are not followed, an answer that is too large is given up, and one deadline covers all. As libcurl does,
requests heed the proxy variables of the environment.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import msgspec
import pycurl

from nightowl import __version__
from nightowl.core.reading import SourceSettings
from nightowl.core.transfers import meaning

IN_FLIGHT = 16
"""Requests of one thread to one source at once."""

LARGEST = 32 * 1024 * 1024
"""Bytes of an answer at most."""

_LOOK = 0.2
_BREATH = 0.002


class Request(msgspec.Struct, frozen=True):
    """A GET, or a POST of ``body``, whose type is ``media_type``."""

    url: str
    body: bytes = b""
    media_type: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What came back. ``fault`` says why there is nothing (empty: there is)."""

    status: int = 0
    body: bytes = b""
    fault: str = ""


class _Body(BytesIO):
    """Takes up to ``LARGEST`` bytes and refuses more, which makes libcurl end the transfer."""

    full = False

    def write(self, data: bytes) -> int:  # type: ignore[override]  # libcurl hands over bytes only
        if self.tell() + len(data) > LARGEST:
            self.full = True
            return 0
        return super().write(data)


class Fetcher:
    """Fetches from one source. Each thread has connections of its own, which it keeps."""

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._local = threading.local()

    def fetch_all(self, requests: Sequence[Request], seconds: float) -> list[Answer]:
        """Return an answer to each request, in their order, within so many seconds."""
        return _Round(self._multi(), self._settings, requests, seconds).run()

    def _multi(self) -> pycurl.CurlMulti:
        if not hasattr(self._local, "multi"):
            self._local.multi = pycurl.CurlMulti()
        multi: pycurl.CurlMulti = self._local.multi
        return multi


class _Round:
    """One call of ``fetch_all``."""

    def __init__(
        self, multi: pycurl.CurlMulti, settings: SourceSettings, requests: Sequence[Request], seconds: float
    ) -> None:
        self._multi = multi
        self._settings = settings
        self._deadline = time.monotonic() + seconds
        self._waiting = deque(enumerate(requests))
        self._active: dict[pycurl.Curl, tuple[int, _Body]] = {}
        self._idle: list[pycurl.Curl] = []
        self._answers: dict[int, Answer] = {}
        self._good = self._bad = 0

    def run(self) -> list[Answer]:
        """Transfer everything, or as much as there is time for."""
        count = len(self._waiting)
        try:
            self._fill()
            while self._active and time.monotonic() < self._deadline:
                self._turn()
                self._fill()
        finally:
            self._give_up()
        unasked = Answer(fault="not asked, as it did not answer what was asked before")
        return [self._answers.get(number, unasked) for number in range(count)]

    def _fill(self) -> None:
        if not self._good and self._bad >= IN_FLIGHT:
            return  # nothing comes from there
        while self._waiting and len(self._active) < IN_FLIGHT:
            number, request = self._waiting.popleft()
            curl, body = self._idle.pop() if self._idle else pycurl.Curl(), _Body()
            try:
                _set_up(curl, request, self._settings, self._deadline - time.monotonic())
            except (pycurl.error, ValueError):
                self._answers[number] = Answer(fault="the request cannot be made of what is configured")
                curl.close()
                continue
            curl.setopt(pycurl.WRITEFUNCTION, body.write)
            self._active[curl] = (number, body)
            self._multi.add_handle(curl)

    def _turn(self) -> None:
        """Let transfers go on, and take those that have ended."""
        _, running = self._multi.perform()
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            for curl in good:
                number, body = self._ended(curl)
                self._good += 1
                self._answers[number] = Answer(curl.getinfo(pycurl.RESPONSE_CODE), body.getvalue())
            for curl, code, _ in bad:
                number, body = self._ended(curl)
                self._bad += 1
                self._answers[number] = Answer(fault=self._fault(code, body))
        if running and self._multi.select(min(_LOOK, max(self._deadline - time.monotonic(), 0.0))) == -1:
            time.sleep(_BREATH)  # there is no socket to wait for while a name is resolved

    def _ended(self, curl: pycurl.Curl) -> tuple[int, _Body]:
        self._multi.remove_handle(curl)
        self._idle.append(curl)
        return self._active.pop(curl)

    def _fault(self, code: int, body: _Body) -> str:
        if body.full:
            return f"the answer is larger than {LARGEST // 1024**2} MiB"
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return f"no answer within {self._settings.timeout:g} s"
        return meaning(code)

    def _give_up(self) -> None:
        for curl, (number, _) in self._active.items():
            self._multi.remove_handle(curl)
            self._answers[number] = Answer(fault="no answer in time")
            curl.close()
        for curl in self._idle:
            curl.close()


def _set_up(curl: pycurl.Curl, request: Request, settings: SourceSettings, seconds: float) -> None:
    curl.reset()
    limit = max(1, round(min(seconds, settings.timeout) * 1000))
    headers = dict(settings.headers)
    if request.body:
        curl.setopt(pycurl.POSTFIELDS, request.body)
        headers |= {"Content-Type": request.media_type, "Expect": ""}
    if settings.bearer:
        headers["Authorization"] = f"Bearer {settings.bearer}"
    if settings.basic:
        curl.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
        curl.setopt(pycurl.USERPWD, settings.basic.encode())
    curl.setopt(pycurl.URL, request.url.encode())
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}".encode() for name, value in headers.items()])
    curl.setopt(pycurl.USERAGENT, f"NightOwl/{__version__}")
    curl.setopt(pycurl.TIMEOUT_MS, limit)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, limit)
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.SSL_VERIFYPEER, 1 if settings.verify else 0)
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if settings.verify else 0)
    if settings.ca:
        curl.setopt(pycurl.CAINFO_BLOB, settings.ca.encode())
    elif (bundle := ssl.get_default_verify_paths().cafile) and Path(bundle).is_file():
        curl.setopt(pycurl.CAINFO, bundle)
