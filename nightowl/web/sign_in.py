"""Names and passwords: who they belong to, at a pace that guessing does not outrun."""

from __future__ import annotations

import logging
from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from nightowl.core.values import Author, User
from nightowl.ports import Clock, Store
from nightowl.web import passwords
from nightowl.web.audit import record
from nightowl.web.throttle import Gate, Limit, Throttle, TooManyTries

FAILURES = 5
"""Failed sign-ins of one name from one address within ``WINDOW`` seconds."""

FAILURES_OF_ADDRESS = 30
"""Failed sign-ins from one address, of whatever names, within ``WINDOW`` seconds: an office behind one address."""

WINDOW = 300.0

FAILURES_OF_NAME = 100
"""Failed sign-ins of one name from all addresses it has not signed in from, within ``LONG_WINDOW`` seconds."""

LONG_WINDOW = 3600.0

_AUDITED = Limit("audit", 30, WINDOW)  # failed sign-ins that are written down: nobody shall fill the store by them
_AT_ONCE, _IN_LINE = 2, 16  # verifications of passwords, of 64 MiB each
_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


class SignIn:
    """Judges names and passwords. Limits are counted in this process; several count apart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._throttle = Throttle(clock)
        self._gate = Gate(_AT_ONCE, _IN_LINE)
        self._known = _Known()

    def check(self, name: str, password: str, address: str) -> User | None:
        """The user whose name and password these are; None: wrong. Raises ``TooManyTries``."""
        limits = self._limits(name, network_of(address))
        if wait := self._throttle.wait(limits):
            raise TooManyTries(wait)
        with self._gate.passage():
            # in here, so that honest ones who come at once do not count against one another
            if wait := self._throttle.reserve(limits):
                raise TooManyTries(wait)
            try:
                user = self._verified(name, password)
            except BaseException:
                self._throttle.give_back(limits)
                raise
        if user is None:
            self._note_failure(name, address)
            return None
        self._throttle.give_back(limits)
        self._known.add(name, network_of(address))
        return user

    def _limits(self, name: str, network: str) -> list[Limit]:
        name = name[:100]
        limits = [
            Limit(f"name {name} from {network}", FAILURES, WINDOW),
            Limit(f"from {network}", FAILURES_OF_ADDRESS, WINDOW),
        ]
        if not self._known.has(name, network):
            # so that nobody is locked out by guesses from elsewhere
            limits.append(Limit(f"name {name}", FAILURES_OF_NAME, LONG_WINDOW))
        return limits

    def _verified(self, name: str, password: str) -> User | None:
        with self._store.read() as unit:
            user = unit.users.get(name)
        right = passwords.matches(password, user.password_hash if user else None)
        return user if right and user and not user.disabled else None

    def _note_failure(self, name: str, address: str) -> None:
        """Write it down; a name that nobody has is left out, as people type passwords there by mistake."""
        if self._throttle.reserve([_AUDITED]):
            _log.warning("a sign-in from %s failed", address)
            return
        with self._store.transaction() as unit:
            known = name if unit.users.get(name) else "(no such user)"
            record(unit, Author("stranger", "", address), self._clock.now(), "sign-in.failed", known)


class _Known:
    """The networks that each name has signed in from, the least recent forgotten first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pairs: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(self, name: str, network: str) -> None:
        with self._lock:
            self._pairs[name, network] = None
            self._pairs.move_to_end((name, network))
            while len(self._pairs) > _REMEMBERED:
                self._pairs.popitem(last=False)

    def has(self, name: str, network: str) -> bool:
        with self._lock:
            return (name, network) in self._pairs


def network_of(address: str) -> str:
    """What one guesser can be taken to have: an IPv4 address, of IPv6 a network of /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed.packed, 64), strict=False))
    return str(parsed)
