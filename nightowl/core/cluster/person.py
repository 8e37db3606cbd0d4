"""Who asks for something to be done to a cluster, and what became of it where it was meant for many tasks."""

from __future__ import annotations

import msgspec

from nightowl.core.values import Author, Role


class Person(msgspec.Struct, frozen=True):
    """Who asks for something, and in which role."""

    author: Author
    role: Role


class Many(msgspec.Struct, frozen=True):
    """What became of many tasks: how many were done, and why others were not."""

    done: int
    refused: dict[str, int] = {}
