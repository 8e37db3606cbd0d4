"""Writes checks and rules as TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w


def spec_to_toml(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the ``[check.NAME]`` tables of these specifications, which load as the same checks."""
    return tomli_w.dumps({"check": {name: dict(spec) for name, spec in checks.items()}})


def rule_to_toml(name: str, spec: Mapping[str, Any]) -> str:
    """Return the ``[rule.NAME]`` table of a specification, which loads as the same rule; inner tables on one line."""
    lines = [tomli_w.dumps({"rule": {name: {}}}).strip(), *(f"{_key(key)} = {_inline(spec[key])}" for key in spec)]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).removesuffix(" = 0\n")


def _inline(value: Any) -> str:
    """A value on one line, tables too, which are short in a rule."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(key)} = {_inline(inner)}' for key, inner in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    return tomli_w.dumps({"x": value}).strip().removeprefix("x = ")
