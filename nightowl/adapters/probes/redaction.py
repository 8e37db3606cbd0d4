"""Masking a target's own secrets in what it answered and in what is said about it."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from nightowl.core.secrecy import sounds_secret
from nightowl.core.values import Target

MASK = "***"
SHORTEST = 4
"""Characters of the shortest value of a reference that is masked: a shorter one stands in every other word."""
QUOTED = 100
"""Characters of a text that a sentence quotes."""

Mask = Callable[[str], str]
_PERCENT = re.compile("%[0-9A-F]{2}")


def redactor(target: Target) -> Mask:
    """A function that masks the target's secrets in a text, also as they stand in base64, URLs, JSON and HTML.

    A secret that the end of the text cuts in two is masked as well.
    """
    forms = sorted({form for secret in _secrets(target) for form in _forms(secret)}, key=len, reverse=True)
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in forms))
    return lambda text: _without_start_of(forms, pattern.sub(MASK, text))


def quoted(text: str, mask: Mask) -> str:
    """The start of a text in quotes, for a sentence; masked before it is cut."""
    return repr(mask(text)[:QUOTED])


def _without_start_of(forms: Iterable[str], text: str) -> str:
    """The text, its end masked where that is the start of a secret."""
    end = min(_start_at_end(form, text) for form in forms)
    return text if end == len(text) else text[:end] + MASK


def _start_at_end(form: str, text: str) -> int:
    """Where the text's end begins to be the start of a secret (its length: nowhere)."""
    start = form[:SHORTEST]
    at = text.find(start, max(0, len(text) - len(form) + 1))
    while at >= 0 and not form.startswith(text[at:]):
        at = text.find(start, at + 1)
    return at if at >= 0 else len(text)


def _secrets(target: Target) -> Iterable[str]:
    yield from (secret for secret in target.secrets if len(secret) >= SHORTEST)
    yield from (target.basic, target.bearer, target.client_key)
    yield target.basic.partition(":")[2]
    for name, value in target.headers.items():
        if sounds_secret(name):
            yield value
            yield from value.split()[1:]  # what stands after a scheme such as Bearer
    yield from _secrets_of_url(target.url)


def _secrets_of_url(url: str) -> Iterable[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    yield parts.password or ""
    yield unquote(parts.password or "")
    for name, value in parse_qsl(parts.query):
        if sounds_secret(name):
            yield value


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode()
    base64, of_url, in_url = b64encode(raw).decode(), urlsafe_b64encode(raw).decode(), quote(secret, safe="")
    in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    in_ascii = json.dumps(secret)[1:-1]
    forms = (
        secret,
        repr(secret)[1:-1],
        base64,
        base64.rstrip("="),
        of_url,
        of_url.rstrip("="),
        in_url,
        _PERCENT.sub(lambda escape: escape[0].lower(), in_url),
        quote(secret),
        quote_plus(secret),
        in_json,
        in_json.replace("/", "\\/"),
        in_ascii,
        in_ascii.replace("/", "\\/"),
        html.escape(secret),
        html.escape(secret, quote=False),
    )
    return (form for form in forms if form)
