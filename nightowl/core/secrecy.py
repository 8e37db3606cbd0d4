"""Where the secrets of a check's definition stand, and how a text shows that it was sealed.

A place is a dotted key of the definition, such as ``auth.basic`` or ``headers.X-Api-Key``; inside the URL it is
``url.password`` or ``url.`` and the parameter's name. What is nothing but references (``${env:X}``) is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Change = Callable[[str, str], str]
"""From a place and the secret that stands there to what shall stand there instead."""

SEALED = re.compile(r"sealed:1:(?P<key>[0-9a-f]{8}):(?P<box>[A-Za-z0-9_-]{38,})")
"""A sealed text: the key's id, then nonce, ciphertext and tag in base64. It may stand in a URL as it is."""

_NAME = re.compile(
    r"auth|cookie|token|secret|pass(w|$)|pwd|api[-_]?key|key$|session|credential|signature|(^|[-_.])sig", re.IGNORECASE
)
_ALWAYS = frozenset({"auth.basic", "auth.bearer", "client_key", "body", "send"})
_OPEN = frozenset({"tags", "labels"})
_LOGIN = re.compile(r"(?<=://)([^/?#\s:@]*):([^/?#\s]*)(?=@)")
_PARAMETER = re.compile(r"(?<=[?&])([^=&#\s]+)=([^&#\s]+)")
_REFERENCES = re.compile(r"(\$\{(env|file):[^}]+\})+")


def sounds_secret(name: str) -> bool:
    """Whether what goes by this name (a header, a parameter, a key) must not be shown."""
    return _NAME.search(name) is not None


def is_sealed(text: str) -> bool:
    """Whether a text is a sealed one."""
    return SEALED.fullmatch(text) is not None


def map_secrets(spec: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return a definition with each secret in it replaced."""
    return {key: value if key in _OPEN else _mapped(key, key, value, change) for key, value in spec.items()}


def map_url(url: str, change: Change) -> str:
    """Return a URL with its password, and the values of parameters that sound secret, replaced."""
    url = _LOGIN.sub(lambda found: f"{found[1]}:{_changed('url.password', found[2], change)}", url)
    return _PARAMETER.sub(lambda found: f"{found[1]}={_parameter(found[1], found[2], change)}", url)


def secrets_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets of a definition by their places; of several in one place, the last."""
    found: dict[str, str] = {}

    def note(place: str, secret: str) -> str:
        found[place] = secret
        return secret

    map_secrets(spec, note)
    return found


def destination(spec: Mapping[str, Any]) -> str:
    """Return where a check's secrets go: scheme, host and port of its URL (empty: it has none that can be read)."""
    try:
        parts = urlsplit(str(spec.get("url", "")))
        port = parts.port
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}" if host else ""


def _mapped(place: str, key: str, value: Any, change: Change) -> Any:
    """``key`` is the last one of ``place``, and may hold dots itself."""
    if isinstance(value, Mapping):
        return {inner: _mapped(f"{place}.{inner}", inner, below, change) for inner, below in value.items()}
    if not isinstance(value, str):
        return value
    if place == "url":
        return map_url(value, change)
    secret = place in _ALWAYS or sounds_secret(key)
    return _changed(place, value, change) if secret else value


def _parameter(name: str, value: str, change: Change) -> str:
    return _changed(f"url.{name}", value, change) if sounds_secret(name) else value


def _changed(place: str, value: str, change: Change) -> str:
    return change(place, value) if value and not _REFERENCES.fullmatch(value) else value
