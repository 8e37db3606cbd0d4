"""Keeping secrets out of what is shown, and in what is edited.

Secrets are written as references (``${env:X}``), which are no secrets; what was written plainly is shown as
``MASK``. A definition that comes back with ``MASK`` in a place keeps what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"

_SECRET_KEYS = frozenset({"basic", "bearer", "client_key"})
_ELSEWHERE = frozenset({"auth", "ca", "client_certificate", "client_key"})
_SECRET_NAMES = re.compile(r"authorization|cookie|token|secret|passw|api[-_]?key|session|signature", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)([^/?#\s:@]*):[^/?#\s]*(?=@)")
_SECRET_PARAMETER = re.compile(r"(?<=[?&])([^=&#\s]*(?:passw|secret|token|key|sig)[^=&#\s]*)=[^&#\s]*", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[^}]*\}")


def mask(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A check's definition without its secrets."""
    return {key: _masked(key, value) for key, value in spec.items()}


def unmask(spec: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that was shown masked, with the secrets of ``before`` where they were not changed."""
    return {key: _unmasked(value, before.get(key)) for key, value in spec.items()}


def without_secrets(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that can be judged without reading environment or files, for looking at it, not for running it."""
    return {key: _blank(value) for key, value in mask(spec).items() if key not in _ELSEWHERE}


def mask_url(url: str) -> str:
    """A URL without password and without the values of parameters that sound secret."""
    return _SECRET_PARAMETER.sub(rf"\1={MASK}", _LOGIN.sub(rf"\1:{MASK}", url))


def _masked(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {inner: _masked(inner, item) for inner, item in value.items()}
    if not isinstance(value, str) or not value:
        return value
    if key == "url":
        return mask_url(value)
    secret = key in _SECRET_KEYS or _SECRET_NAMES.search(key)
    return MASK if secret and not _REFERENCE.fullmatch(value) else value


def _blank(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _blank(item) for key, item in value.items()}
    return _REFERENCE.sub(MASK, value) if isinstance(value, str) else value


def _unmasked(value: Any, before: Any) -> Any:
    if isinstance(value, Mapping):
        earlier = before if isinstance(before, Mapping) else {}
        return {key: _unmasked(item, earlier.get(key)) for key, item in value.items()}
    if isinstance(value, str) and MASK in value and isinstance(before, str):
        return before if value in (MASK, mask_url(before)) else value
    return value
