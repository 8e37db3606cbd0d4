"""How long each phase of an attempt took, over all its hops."""

from __future__ import annotations

import pycurl

from nightowl.core.values import Phases

_NEVER = -1.0
_TLS = 2


class Timing:
    """Sums of seconds by phase: dns, connect, tls, first byte, transfer."""

    __slots__ = ("_spent", "connect", "lookup", "tls", "total")

    def __init__(self) -> None:
        self._spent = [_NEVER] * 5
        self.total = 0.0
        self.lookup = self.connect = self.tls = 0.0
        """When these phases ended in the last hop, in seconds from its start (0: they did not)."""

    def looked_up(self, seconds: float) -> None:
        """Add a look-up that was made for libcurl."""
        self._spent[0] = max(self._spent[0], 0.0) + seconds
        self.total += seconds

    def add(self, curl: pycurl.Curl, *, https: bool, first_byte: float | None) -> None:
        """Add what libcurl measured of a hop.

        ``first_byte``: the moment at which the answer began, in seconds from the hop's start; 0: libcurl's own (which
        counts interim answers too); None: no answer came.
        """
        info = curl.getinfo
        total = info(pycurl.TOTAL_TIME)
        self.total += total
        self.lookup = info(pycurl.NAMELOOKUP_TIME)
        self.connect = info(pycurl.CONNECT_TIME)
        self.tls = info(pycurl.APPCONNECT_TIME) if https else 0.0
        answered = 0.0 if first_byte is None else first_byte or info(pycurl.STARTTRANSFER_TIME)
        before = 0.0
        for phase, ended in enumerate((self.lookup, self.connect, self.tls, answered, total)):
            if phase == _TLS and not https:
                continue
            until = ended or total  # the phase that never ended took all the time that was left
            self._spent[phase] = max(self._spent[phase], 0.0) + max(until - before, 0.0)
            if not ended:
                return
            before = until

    def phases(self) -> Phases:
        """Seconds by phase, to the microsecond as libcurl measures; None where one never began."""
        dns, connect, tls, first_byte, transfer = (None if spent < 0 else round(spent, 6) for spent in self._spent)
        return Phases(dns=dns, connect=connect, tls=tls, first_byte=first_byte, transfer=transfer)
