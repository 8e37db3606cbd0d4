"""Writes checks as TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w


def spec_to_toml(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the ``[check.NAME]`` tables of these specifications, which load as the same checks."""
    return tomli_w.dumps({"check": {name: dict(spec) for name, spec in checks.items()}})
