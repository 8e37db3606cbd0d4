"""What all tables have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A TOML table: unknown keys are refused, values are taken as they are, never converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)

    stand_ins: ClassVar[Mapping[str, Any]] = {}
    """What stands for required keys that are missing or mistaken, so that the other keys can still be judged."""
