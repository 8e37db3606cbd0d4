"""Flower's options as they were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nightowl.config.flower.options import OPTIONS


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What was given: values by the option's name, and where each stands (``--port``, ``FLOWER_PORT``).

    ``strange`` are options of ``celery`` itself, which belong before the command's name.
    """

    values: dict[str, Any] = {}
    where: dict[str, str] = {}
    unauthenticated_api: bool = False
    strange: tuple[str, ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        """Return an option's value; ``default`` where it was not given."""
        return self.values.get(name, default)

    def path(self, name: str) -> str:
        """Return the whole path of a file that an option names; empty where it was not given."""
        found = self.get(name, "")
        return str(Path(found).expanduser().absolute()) if found else ""

    def notes(self) -> list[str]:
        """Return a line for each thing that was given and is not done, with what takes its place."""
        unheard = [name for name in self.values if OPTIONS[name].instead]
        told = [f"{self.where[name]} has no effect here: {OPTIONS[name].instead}" for name in unheard]
        return [*told, *(f"{each} belongs before the word nightowl, and has no effect here" for each in self.strange)]
