"""Keep secrets out of what people read."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from urllib.parse import quote, quote_plus, urlsplit

MASK = "***"
SHORTEST = 4
"""Characters of the shortest value of a reference that is masked: a shorter one stands in every other word."""
TELLING = 8
"""Characters from which on a line, or a cut of a secret, stands in no other word by chance."""

Mask = Callable[[str], str]
"""Returns a text without the secrets that it was made for."""

_PERCENT = re.compile("%[0-9A-F]{2}")
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)(?P<user>[^\s:/@]*):(?P<password>[^\s@]+)@")


def without_password(text: str) -> str:
    """Mask the password of every URL in a text: ``amqp://owl:***@rabbit``."""
    return _USERINFO.sub(r"\g<scheme>\g<user>:***@", text)


def hiding(secrets: Iterable[str]) -> Mask:
    """A function that masks secrets in a text, also as they stand in base64, hex, URLs, JSON and HTML.

    A secret that the end of the text cuts in two is masked as well.
    """
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    return partial(_without, forms) if forms else str


def secrets_of_address(url: str) -> Iterable[str]:
    """What is secret in a URL that whoever knows it may use: all of it but the host."""
    yield url
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    yield parts.password or ""
    yield from (word for word in re.split(r"[/?&=#]", f"{parts.path}?{parts.query}") if len(word) >= TELLING)


def _without(forms: Iterable[str], text: str) -> str:
    """The text with each place of a form masked; forms that overlap are one place.

    Plain searches: to compile thousands of forms into a pattern costs more than any text.
    """
    masked: list[str] = []
    at = 0
    for start, end in sorted(span for form in forms for span in _places(form, text)):
        if start > at or not masked:
            masked += [text[at:start], MASK]
        at = max(at, end)
    return "".join([*masked, text[at:]])


def _places(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a form stands in a text, and where the text's end is the start of it."""
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)
    cut = _start_at_end(form, text)
    if cut < len(text):
        yield cut, len(text)


def _start_at_end(form: str, text: str) -> int:
    """Where the text's end begins to be the start of a secret (its length: nowhere)."""
    start = form[:SHORTEST]
    at = text.find(start, max(0, len(text) - len(form) + 1))
    while at >= 0 and not form.startswith(text[at:]):
        at = text.find(start, at + 1)
    return at if at >= 0 else len(text)


def _forms(secret: str) -> Iterable[str]:
    """How a secret of at least one character may be written."""
    raw = secret.encode()
    base64, of_url, in_url = b64encode(raw).decode(), urlsafe_b64encode(raw).decode(), quote(secret, safe="")
    in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    in_ascii = json.dumps(secret)[1:-1]
    return (
        secret,
        secret.lower(),  # as hosts and schemes come back
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
        raw.hex(),
        raw.hex().upper(),
        *_inside_base64(raw),
    )


def _inside_base64(raw: bytes) -> Iterable[str]:
    """The secret as it stands in base64 behind other bytes: what is of it alone, whatever stands around."""
    for before in (0, 1, 2):
        shifted = b"\0" * before + raw
        whole = len(shifted) // 3 * 4
        for encode in (b64encode, urlsafe_b64encode):
            inner = encode(shifted).decode()[4 if before else 0 : whole]
            if len(inner) >= TELLING:
                yield inner
