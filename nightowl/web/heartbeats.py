"""The secret URLs of heartbeats: derived from the installation's secret, known to the store by hash alone."""

from __future__ import annotations

from msgspec.structs import replace

from nightowl.core.errors import NotFound, Refused
from nightowl.core.heartbeat import token, token_hash
from nightowl.core.values import Author
from nightowl.ports import HeartbeatUrl, Store, StoredCheck, Unit
from nightowl.web.access import PINGS
from nightowl.web.audit import record
from nightowl.web.rows import kind_of


def is_heartbeat(stored: StoredCheck) -> bool:
    """Whether a check is one that a job calls."""
    return kind_of(stored.spec) == "heartbeat"


def is_task(stored: StoredCheck) -> bool:
    """Whether a check is one that follows a task of a watched cluster."""
    return kind_of(stored.spec) == "task"


def is_heard(stored: StoredCheck) -> bool:
    """Whether a check tries nothing: a job calls, or a task runs."""
    return is_heartbeat(stored) or is_task(stored)


def register(store: Store, key: bytes) -> None:
    """Let the URLs of all heartbeats be known."""
    with store.read() as unit:
        known = unit.heartbeats.urls()
        names = [check.name for check in unit.checks.all() if is_heartbeat(check) and not known[check.name].token_hash]
    if names:
        with store.transaction() as unit:
            for name in names:
                url = unit.heartbeats.url(name)
                if url is not None and not url.token_hash:
                    unit.heartbeats.set_url(name, _hashed(key, url))


def path(unit: Unit, key: bytes, name: str) -> str:
    """The path of a heartbeat's URL; empty where the one that works was made under another secret than ``key``."""
    url = unit.heartbeats.url(name)
    if url is None:
        raise NotFound(f"There is no check named {name}.")
    derived = _hashed(key, url)
    return _path(key, url) if url.token_hash in (b"", derived.token_hash) else ""


def renew(store: Store, key: bytes, name: str, author: Author, now: float) -> str:
    """Give a heartbeat another URL, after which the one before is unknown; return its path.

    Raises ``NotFound``, or ``Refused`` where the check is no heartbeat.
    """
    with store.transaction() as unit:
        stored, url = unit.checks.get(name), unit.heartbeats.url(name)
        if stored is None or url is None:
            raise NotFound(f"There is no check named {name}.")
        if not is_heartbeat(stored):
            raise Refused(f"{name} is no heartbeat, so no job calls it.")
        newer = replace(url, generation=url.generation + 1)
        unit.heartbeats.set_url(name, _hashed(key, newer))
        record(unit, author, now, "check.new-url", name)
    return _path(key, newer)


def _hashed(key: bytes, url: HeartbeatUrl) -> HeartbeatUrl:
    return replace(url, token_hash=token_hash(token(key, url.serial, url.generation)))


def _path(key: bytes, url: HeartbeatUrl) -> str:
    return f"{PINGS}{token(key, url.serial, url.generation)}"
