"""The sockets that libcurl waits for, on an epoll of their own.

A loop that has more to do sleeps on the epoll's one descriptor: thousands of sockets that are ready cost it nothing
until it asks for some of them.
"""

from __future__ import annotations

import select
from contextlib import suppress

import pycurl

_READ, _WRITE, _WRONG, _HUNG = 1, 4, 8, 16  # EPOLLIN, -OUT, -ERR, -HUP: gevent takes them out of the module
_INTEREST = {pycurl.POLL_IN: _READ, pycurl.POLL_OUT: _WRITE, pycurl.POLL_INOUT: _READ | _WRITE, pycurl.POLL_NONE: 0}
_ACTIONS = tuple(
    (pycurl.CSELECT_IN if events & (_READ | _HUNG) else 0)
    | (pycurl.CSELECT_OUT if events & _WRITE else 0)
    | (pycurl.CSELECT_ERR if events & _WRONG else 0)
    for events in range(32)
)


class Sockets:
    """Descriptors by what libcurl wants of them; ``descriptor`` is readable while one of them is ready."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._interest: dict[int, int] = {}
        self.descriptor = epoll.fileno()

    def watch(self, descriptor: int, what: int) -> None:
        """Wait for a descriptor, or forget it.

        A forgotten one stays registered: libcurl closes it next, which removes it from epoll without a call.
        """
        if what == pycurl.POLL_REMOVE:
            self._interest.pop(descriptor, None)
            return
        events = _INTEREST[what]
        if descriptor in self._interest:
            self._epoll.modify(descriptor, events)
        else:
            try:
                self._epoll.register(descriptor, events)
            except FileExistsError:
                self._epoll.modify(descriptor, events)
        self._interest[descriptor] = events

    def ready(self, seconds: float, at_most: int) -> list[tuple[int, int]]:
        """Sleep until some are ready or the time is over; those that are ready, each with its ``CSELECT_*`` bits."""
        found = []
        for descriptor, events in self._epoll.poll(seconds, at_most):
            if descriptor in self._interest:
                found.append((descriptor, _ACTIONS[events & 31]))
            else:
                with suppress(OSError):
                    self._epoll.unregister(descriptor)
        return found

    def close(self) -> None:
        """Give the epoll back."""
        self._epoll.close()
