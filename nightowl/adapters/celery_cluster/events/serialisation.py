"""Plain data out of a message's body, by its content type. Pickle and compressed bodies are never read."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

NOT_READABLE = "not readable"
NOT_ACCEPTED = "of a serialiser that is not accepted"
TOO_LARGE = "too large"

LARGEST_YAML = 64 * 1024
"""Bytes of a body in YAML at most: its parser takes seconds for a megabyte."""

DIGITS = 20
"""Digits of a whole number at most; a longer one has no meaning in an event."""


class Unreadable(Exception):
    """Why a body was refused; never anything of its content."""


def parse(body: bytes, content_type: str, accepted: Collection[str]) -> object:
    """Return what a body holds. Raises ``Unreadable``.

    ``accepted`` are names of serialisers as in Celery's ``accept_content``, or content types.
    """
    name = _NAMES.get(content_type.lower())
    if name is None or not (name == "json" or name in accepted or content_type in accepted):
        raise Unreadable(NOT_ACCEPTED)
    try:
        return _PARSE[name](body)
    except Unreadable:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, LookupError, AttributeError, msgspec.MsgspecError):
        raise Unreadable(NOT_READABLE) from None


def _json(body: bytes) -> object:
    """Read JSON as Python writes it, where NaN is a number; what is no UTF-8 is replaced."""
    return json.loads(
        body.decode("utf-8", "replace"), strict=False, parse_int=_whole, parse_constant=lambda _: None
    )  # fmt: skip


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= DIGITS else float(digits)


def _msgpack(body: bytes) -> object:
    return msgspec.msgpack.decode(body)


def _yaml(body: bytes) -> object:
    if len(body) > LARGEST_YAML:
        raise Unreadable(TOO_LARGE)
    try:
        import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - an extra of Celery's, that few have
    except ImportError:
        raise Unreadable("YAML, for which the package PyYAML is missing") from None
    try:
        if any(
            isinstance(each, yaml.AliasToken) for each in yaml.scan(body)
        ):  # a few lines of them stand for gigabytes
            raise Unreadable(NOT_READABLE)
        return yaml.safe_load(body)
    except yaml.YAMLError:
        raise Unreadable(NOT_READABLE) from None


_PARSE: Mapping[str, Callable[[bytes], Any]] = {"json": _json, "msgpack": _msgpack, "yaml": _yaml}

_NAMES = {
    "": "json",
    "application/json": "json",
    "application/x-msgpack": "msgpack",
    "application/x-yaml": "yaml",
}
