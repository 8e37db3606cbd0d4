"""What the built-in kinds of checks understand: their own keys, and the form of their URLs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import msgspec

from nightowl.config.fields import split_url

Keys = frozenset[str]
Part = Literal["keys", "expect", "warn"]
"""Where a key may stand: in the check's table, or in one of these below it."""

_NONE: Keys = frozenset()


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A built-in kind: the keys that not every kind knows, of the check, of ``expect`` and of ``warn``.

    ``form`` is its URL as an example; ``port`` is what stands for a missing one (None: it must be given; 0: there is
    none). ``bare``: nothing follows host and port. ``tried``: a location tries a target, which needs a URL.
    ``schemes`` of its URL and their ports, where they are not the kind's name; it may have a user and a password then.
    """

    keys: Keys = _NONE
    expect: Keys = _NONE
    warn: Keys = _NONE
    form: str
    port: int | None = None
    bare: bool = True
    tried: bool = True
    schemes: dict[str, int] = {}


_TRIED = frozenset(
    ["url", "timeout", "attempts", "attempts_when", "attempt_gap", "locations", "quorum", "expect", "warn"]
)
_TLS = frozenset(["verify", "ca", "client_certificate", "client_key"])
_CERTIFICATE = frozenset(["certificate"])
_HTTP = frozenset(["method", "headers", "body", "auth", "redirects", "http_version", "user_agent", "family"])
_EXPECTED = frozenset(["cron", "timezone", "grace"])
_HTTP_EXPECT = frozenset(["status", "body", "not_body", "regex", "json_values", "header"])

BUILT_IN: dict[str, Kind] = {
    "http": Kind(
        keys=_HTTP | _TLS,
        expect=_HTTP_EXPECT,
        warn=_CERTIFICATE,
        form="http://shop.example/login",
        port=80,
        bare=False,
    ),
    "https": Kind(
        keys=_HTTP | _TLS,
        expect=_HTTP_EXPECT,
        warn=_CERTIFICATE,
        form="https://shop.example/login",
        port=443,
        bare=False,
    ),
    "tcp": Kind(keys=frozenset(["send", "family"]), expect=frozenset(["banner"]), form="tcp://db.example:5432"),
    "tls": Kind(keys=_TLS | {"family"}, expect=frozenset(["tls"]), warn=_CERTIFICATE, form="tls://shop.example:443"),
    "dns": Kind(
        keys=frozenset(["record", "resolver", "family"]),
        expect=frozenset(["answers"]),
        form="dns://shop.example",
        port=0,
    ),
    "icmp": Kind(keys=frozenset(["family"]), form="icmp://router.example", port=0),
    "smtp": Kind(
        keys=_TLS | {"family", "starttls"},
        expect=frozenset(["banner", "tls"]),
        warn=_CERTIFICATE,
        form="smtp://mail.example",
        port=25,
    ),
    "smtps": Kind(
        keys=_TLS | {"family"},
        expect=frozenset(["banner", "tls"]),
        warn=_CERTIFICATE,
        form="smtps://mail.example",
        port=465,
    ),
    "celery": Kind(
        keys=_TLS | {"family", "queue"},
        expect=frozenset(["tls"]),
        warn=_CERTIFICATE,
        form="redis://broker.example/0",
        bare=False,
        schemes={"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671},
    ),
    "heartbeat": Kind(keys=_EXPECTED, form="", port=0, tried=False),
    "task": Kind(keys=_EXPECTED | {"cluster", "task", "max_runtime"}, form="", port=0, tried=False),
}
"""The kinds that need no plug-in."""


def foreign(name: str, part: Part) -> Keys:
    """The keys that only other kinds understand; a plug-in may understand any."""
    kind = BUILT_IN.get(name)
    if kind is None or (part != "keys" and not kind.tried):  # which has no such table at all
        return _NONE
    return _NONE.union(*(_own(other, part) for other in BUILT_IN.values())) - _own(kind, part)


def _own(kind: Kind, part: Part) -> Keys:
    keys: Keys = getattr(kind, part)
    return keys | _TRIED if part == "keys" and kind.tried else keys


def url_problem(name: str, url: str) -> str:
    """What the URL of a check of a kind would have to be, or nothing where it is fine."""
    kind = BUILT_IN.get(name)
    parts = split_url(url)
    if parts is None or (kind is not None and not kind.tried):
        return ""
    if parts.username is not None and not (kind and kind.schemes):
        return 'a URL without user and password; give them as auth = { basic = "${env:NAME}" }'
    if kind is None or not kind.bare:
        return ""
    beside = parts.path or parts.query or parts.fragment
    fits = {None: parts.port is not None, 0: parts.port is None}.get(kind.port, True)
    what = {None: "a host and a port", 0: "a host alone"}.get(kind.port, "a host and, where it is another, a port")
    return "" if fits and not beside else f'{what}, such as "{kind.form}"'


def schemes_of(name: str) -> tuple[str, ...]:
    """The schemes that the URL of a check of a built-in kind may have."""
    return tuple(BUILT_IN[name].schemes) or (name,)


def follows_from(kinds: Collection[str]) -> list[str]:
    """Those kinds that follow from the scheme of a URL; the others have to be named."""
    return [each for each in kinds if each not in BUILT_IN or (BUILT_IN[each].tried and not BUILT_IN[each].schemes)]


def port_of(name: str, scheme: str, port: int | None) -> int | None:
    """The port that a URL of a kind leads to (0: there is none; None: it is not known)."""
    kind = BUILT_IN.get(name)
    return port if port or kind is None else kind.schemes.get(scheme, kind.port)
