"""Keeping secrets out of what is shown, and in what is edited.

Secrets are written as references (``${env:X}``), which are no secrets, or stored sealed; whatever else stands in a
secret's place is shown as ``MASK``. A definition that comes back with ``MASK`` in a place keeps what stood there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nightowl.core.secrecy import map_secrets, map_url, secrets_of

MASK = "********"

_ELSEWHERE = frozenset({"auth", "ca", "client_certificate", "client_key"})
_REFERENCE = re.compile(r"\$\{[^}]*\}")


def mask(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A check's definition without its secrets."""
    return map_secrets(spec, lambda _place, _secret: MASK)


def unmask(spec: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that was shown masked, with the secrets of ``before`` where they were not changed."""
    known = secrets_of(before)
    return map_secrets(spec, lambda place, shown: known.get(place, shown) if shown == MASK else shown)


def without_secrets(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A definition that can be judged without reading environment or files, for looking at it, not for running it."""
    return {key: _blank(value) for key, value in mask(spec).items() if key not in _ELSEWHERE}


def mask_url(url: str) -> str:
    """A URL without password and without the values of parameters that sound secret."""
    return map_url(url, lambda _place, _secret: MASK)


def _blank(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _blank(item) for key, item in value.items()}
    return _REFERENCE.sub(MASK, value) if isinstance(value, str) else value
