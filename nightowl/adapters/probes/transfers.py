"""Many http exchanges at a time on one libcurl multi handle, driven by ``socket_action``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from time import monotonic

import pycurl

from nightowl.adapters.probes.exchange import Exchange
from nightowl.adapters.probes.failure import FAULT, Failure

log = logging.getLogger(__name__)

_POOLED = 512
_NEVER = float("inf")


class Transfers:
    """The transfers under way. Everything here runs on the engine's owner.

    ``watch(descriptor, what)`` says what libcurl waits for (``POLL_IN``, ``_OUT``, ``_INOUT`` or ``_REMOVE``),
    ``ended(exchange, again)`` is called at the end of each hop; ``again``: there is another one to be started.
    """

    def __init__(self, watch: Callable[[int, int], None], ended: Callable[[Exchange, bool], None]) -> None:
        self._watch = watch
        self._ended = ended
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._timer)
        self._idle: list[pycurl.Curl] = []
        self._under_way: dict[pycurl.Curl, Exchange] = {}
        self.due = _NEVER
        """When libcurl wants to be called even if no socket is ready (monotonic seconds; infinite: never)."""

    def start(self, exchange: Exchange) -> None:
        """Begin a hop."""
        curl = self._idle.pop() if self._idle else pycurl.Curl()
        exchange.configure(curl)
        self._multi.add_handle(curl)
        self._under_way[curl] = exchange

    def act(self, ready: Iterable[tuple[int, int]]) -> None:
        """Move all transfers on whose sockets are ready or whose time has come, and report those that ended."""
        action = self._multi.socket_action
        for descriptor, events in ready:
            action(descriptor, events)
        if self.due <= monotonic():
            self.due = _NEVER
            action(pycurl.SOCKET_TIMEOUT, 0)
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            for curl in good:
                self._finish(curl, 0, "")
            for curl, code, message in bad:
                self._finish(curl, code, message)

    def abandon(self, exchange: Exchange) -> None:
        """Drop an exchange that did not end by itself."""
        for curl, other in self._under_way.items():
            if other is exchange:
                del self._under_way[curl]
                self._multi.remove_handle(curl)
                curl.close()
                return

    def close(self) -> None:
        """Drop everything."""
        for curl in self._under_way:
            self._multi.remove_handle(curl)
            curl.close()
        self._under_way.clear()
        self._multi.close()

    def _finish(self, curl: pycurl.Curl, code: int, message: str) -> None:
        self._multi.remove_handle(curl)
        exchange = self._under_way.pop(curl)
        try:
            again = exchange.ended(curl, code, message)
            curl.reset()
            if len(self._idle) < _POOLED:
                self._idle.append(curl)
        except Exception as error:
            log.exception("A hop of an attempt could not be handled")
            exchange.fail(Failure(FAULT, f"the attempt could not go on: {type(error).__name__}"))
            again = False
        self._ended(exchange, again)

    def _socket(self, what: int, descriptor: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        self._watch(descriptor, what)

    def _timer(self, milliseconds: int) -> None:
        self.due = _NEVER if milliseconds < 0 else monotonic() + milliseconds / 1000
