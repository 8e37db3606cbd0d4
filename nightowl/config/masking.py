"""Which values are secrets, and how they are shown instead."""

from __future__ import annotations

import re
from typing import Any

from nightowl.core.secrecy import sounds_secret

MASK = "***"
"""What stands in place of a secret."""

DEEPEST = 32
"""Tables and lists within one another that a configuration may have."""

KeyPath = tuple[str | int, ...]
"""Where a value stands: keys and list indexes from the top of the configuration."""

_SECRET_KEYS = frozenset({"basic", "bearer"})
_SAID = frozenset({("body",), ("send",)})
_USER_INFO = re.compile(r"(?<=://)([^/?#\s:@]*):([^/?#\s]*)(?=@)")
_PARAMETER = re.compile(r"(?<=[?&])([^=&#\s]*)=([^&#\s]*)")


def is_secret(path: KeyPath) -> bool:
    """Whether what stands at ``path`` is not to be shown.

    The URLs of channels, of hooks and of ``[self] ping`` are: who knows them may use them. So are ``[metrics] auth``
    and what a check says to its target.
    """
    if path[:1] in (("channel",), ("hook",)) and path[2:3] in (("url",), ("urls",)):
        return True
    if path in (("self", "ping"), ("metrics", "auth")):
        return True
    keys = _own_keys(path)
    if path[:1] in (("check",), ("template",)) and keys[:1] in _SAID:
        return True
    return any(isinstance(key, str) and (key in _SECRET_KEYS or sounds_secret(key)) for key in keys)


def _own_keys(path: KeyPath) -> KeyPath:
    """Return the keys of ``path`` without the name of a table and names that people chose for tags and labels."""
    named = path[:1] in {
        (table,)
        for table in (
            "location",
            "template",
            "check",
            "rule",
            "source",
            "cluster",
            "hook",
            "sink",
            "channel",
            "route",
            "user",
        )
    }
    keys = path[2:] if named else path[1:]
    return () if keys[:1] and keys[0] in ("tags", "labels", "match") else keys


def masked(value: Any, path: KeyPath) -> Any:
    """Return ``value`` with everything secret in it replaced: by the key it stands under, or inside URLs."""
    if len(path) > DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {key: masked(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, (*path, index)) for index, inner in enumerate(value)]
    if value and value is not True and is_secret(path):
        return _hidden(value) if isinstance(value, str) else MASK
    return mask_url(value) if isinstance(value, str) else value


def mask_url(text: str) -> str:
    """Return ``text`` without the passwords of URLs in it."""
    text = _USER_INFO.sub(lambda found: f"{found[1]}:{_hidden(found[2])}", text)
    return _PARAMETER.sub(
        lambda found: f"{found[1]}={_hidden(found[2])}" if sounds_secret(found[1]) else found[0], text
    )


def _hidden(text: str) -> str:
    return text if _is_reference(text) else MASK


def _is_reference(text: str) -> bool:
    """Whether a text is nothing but references, which themselves tell nothing."""
    return re.fullmatch(r"(\$\{(env|file):[^}]+\})+", text) is not None
