"""Masking a target's own secrets in what it answered and in what is said about it."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from nightowl.core.values import Target

MASK = "***"
_SECRET_NAME = re.compile(
    r"auth|cookie|token|secret|passw|api[-_]?key|key$|session|credential|signature", re.IGNORECASE
)


def secret_header(name: str) -> bool:
    """Whether a header of this name carries something that must not be shown, nor sent to another origin."""
    return _SECRET_NAME.search(name) is not None


def redactor(target: Target) -> Callable[[str], str]:
    """A function that masks the target's secrets in a text, also in their base64 and URL-encoded forms."""
    forms = sorted({form for secret in _secrets(target) for form in _forms(secret)}, key=len, reverse=True)
    if not forms:
        return str
    pattern = re.compile("|".join(re.escape(form) for form in forms))
    return lambda text: pattern.sub(MASK, text)


def _secrets(target: Target) -> Iterable[str]:
    url = urlsplit(target.url)
    yield from (target.basic, target.bearer, target.client_key, url.password or "")
    yield target.basic.partition(":")[2]
    for name, value in target.headers.items():
        if secret_header(name):
            yield value
            yield from value.split()[1:]  # what stands after a scheme such as Bearer
    for name, value in parse_qsl(url.query):
        if _SECRET_NAME.search(name):
            yield value


def _forms(secret: str) -> Iterable[str]:
    raw = secret.encode()
    forms = (
        secret,
        b64encode(raw).decode(),
        b64encode(raw).decode().rstrip("="),
        urlsafe_b64encode(raw).decode(),
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
    )
    return (form for form in forms if form)
