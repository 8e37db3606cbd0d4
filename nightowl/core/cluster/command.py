"""Remote control: commands to workers, and what they answer (Celery's pidbox).

https://docs.celeryq.dev/en/stable/userguide/workers.html
"""

from __future__ import annotations

from typing import Any

import msgspec


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command of Celery's remote control, to these workers (empty: to all that listen)."""

    name: str
    arguments: dict[str, Any] = {}
    workers: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker said. ``silent``: it said nothing in time; ``error``: why it refused (empty: it did not)."""

    worker: str
    value: Any = None
    error: str = ""
    silent: bool = False
