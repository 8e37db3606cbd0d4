"""Names under look-up, beside libcurl: its own few resolver threads let a single stalled name hold up all others.

Everything here runs on the engine's owner but the look-up itself. One that is under way is shared by all who ask
for the same name meanwhile, so a stalled name holds one thread and not one an attempt; nothing is remembered.
"""

from __future__ import annotations

import _socket
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Literal

Family = Literal["any", "4", "6"]
AddressInfo = list[tuple[int, int, int, str, tuple[Any, ...]]]
"""What ``getaddrinfo`` returns."""
Answer = Callable[[AddressInfo | OSError, float], None]
"""Takes addresses (at least one) or the resolver's error, and when a helper took the look-up on (monotonic)."""
Job = Callable[[], None]

_FAMILIES = {"any": _socket.AF_UNSPEC, "4": _socket.AF_INET, "6": _socket.AF_INET6}


class Lookups:
    """Looks names up on helpers: ``run`` gives one a job, ``later`` brings its result back to the owner."""

    def __init__(self, run: Callable[[Job], None], later: Callable[[float, Job], None]) -> None:
        self._run = run
        self._later = later
        self._waiting: dict[tuple[str, Family], list[Answer]] = {}
        self._begun: dict[tuple[str, Family], float] = {}

    def ask(self, host: str, family: Family, answer: Answer) -> None:
        """Look a host up; ``answer`` is called on the owner, however long it takes."""
        key = (host, family)
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(answer)
            return
        self._waiting[key] = [answer]
        self._run(partial(self._look_up, host, family))

    def begun(self, host: str, family: Family) -> float | None:
        """When a helper took a look-up under way on (None: none has, so the resolver is not to blame)."""
        return self._begun.get((host, family))

    def _look_up(self, host: str, family: Family) -> None:
        self._begun[host, family] = monotonic()
        found: AddressInfo | OSError
        try:
            # The module below ``socket`` blocks even where gevent has patched that one: this is a native thread.
            found = _socket.getaddrinfo(host, 0, _FAMILIES[family], _socket.SOCK_STREAM, _socket.IPPROTO_TCP)
        except OSError as error:
            found = error
        except UnicodeError:
            found = OSError("the resolver refused the name")
        self._later(0, partial(self._answer, (host, family), found))

    def _answer(self, key: tuple[str, Family], found: AddressInfo | OSError) -> None:
        begun = self._begun.pop(key)
        for answer in self._waiting.pop(key):
            answer(found, begun)
