"""Masking a target's own secrets in what it answered and in what is said about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain, islice
from urllib.parse import unquote, unquote_plus, urlsplit

from msgspec.structs import replace

from nightowl.core.redaction import SHORTEST, TELLING, Mask, hiding
from nightowl.core.secrecy import sounds_secret
from nightowl.core.values import Attempt, Target

__all__ = ["QUOTED", "Mask", "quoted", "redacted", "redactor"]

QUOTED = 100
"""Characters of a text that a sentence quotes."""
_NAMED = re.compile(
    r"\b(?=(?P<name>[\w.-]{1,64})[\"']?[\s=:>]{1,8}"
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.){1,512})\"|(?P<bare>[^\s\"'&<,;}\]]{1,512})))"
)
"""A name and its value, as in JSON, a form, XML, or a line such as ``AUTH secret``."""
_LONG = re.compile(
    r"(?P<name>[\w.-]{1,64})[\"']?[\s=:>]{1,8}(?:\"(?P<quoted>(?:[^\"\\]|\\.){513,})\"|(?P<bare>[^\s\"'&<,;}\]]{513,}))"
)
"""The same for longer values, which may not overlap: to look for those at every place would take too long."""
_PART = re.compile(r"=\s*\"?(?P<value>[^\s\";,]{8,})")
"""A part of a header, as in ``Cookie: sid=...`` and ``Authorization: Token token="..."``."""
_LINES = 100
"""Lines of what is said to a target that count as secrets; each has two dozen forms to look for in every answer."""


def redactor(target: Target) -> Mask:
    """A function that masks the target's secrets in a text."""
    return hiding(_secrets(target))


def redacted(attempt: Attempt, mask: Mask) -> Attempt:
    """The attempt with everything masked in it that came from the target, its certificate's names included."""
    if mask is str:  # there are no secrets
        return attempt
    seen = attempt.certificate
    if seen is not None:
        seen = replace(
            seen,
            subject=mask(seen.subject),
            issuer=mask(seen.issuer),
            names=tuple(map(mask, seen.names)),
            chain=tuple(map(mask, seen.chain)),
        )
    return replace(attempt, detail=mask(attempt.detail), excerpt=mask(attempt.excerpt), certificate=seen)


def quoted(text: str, mask: Mask) -> str:
    """The start of a text in quotes, for a sentence; masked before it is cut."""
    return repr(mask(text)[:QUOTED])


def _secrets(target: Target) -> Iterable[str]:
    yield from (secret for secret in target.secrets if len(secret) >= SHORTEST)
    yield from (target.basic, target.bearer, target.client_key)
    yield target.basic.partition(":")[2]
    for name, value in target.headers.items():
        if sounds_secret(name):
            yield value
            yield from value.split()[1:]  # what stands after a scheme such as Bearer
            yield from (part["value"] for part in _PART.finditer(value))
    yield from (value for name, value in target.expect.header.items() if sounds_secret(name))
    yield from _secrets_said(target.body)
    yield from _secrets_said(target.send)
    yield from _secrets_of_url(target.url)


def _secrets_said(text: str) -> Iterable[str]:
    """What was said to the target: its lines, and values in it whose names sound secret."""
    lines = islice(dict.fromkeys(map(str.strip, text.splitlines())), _LINES)
    yield from (line for line in {text, *lines} if len(line) >= TELLING)
    for found in chain(_NAMED.finditer(text), _LONG.finditer(text)):
        if sounds_secret(found["name"]):
            yield from (value for value in _readings(found) if len(value) >= SHORTEST)


def _readings(found: re.Match[str]) -> Iterable[str]:
    """A value as it is written, and as JSON or a form mean it."""
    written: str = found["quoted"] or found["bare"]
    yield written
    yield unquote_plus(written)
    with suppress(ValueError):
        yield json.loads(f'"{written}"')


def _secrets_of_url(url: str) -> Iterable[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    yield parts.password or ""
    yield unquote(parts.password or "")
    if parts.password:
        yield f"{unquote(parts.username or '')}:{unquote(parts.password)}"  # as Basic credentials have it
    for parameter in parts.query.split("&"):
        name, _, value = parameter.partition("=")
        if sounds_secret(unquote_plus(name)):
            yield value
            yield unquote_plus(value)
