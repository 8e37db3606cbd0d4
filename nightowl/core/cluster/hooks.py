"""Hooks: which of them an event of a task goes to, and what it is told."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

import msgspec

from nightowl.core.cluster.settings import HookSettings
from nightowl.core.cluster.task import Task

SHAPE = 1
"""The version of the body's shape; keys may be added within it, none changes its meaning."""

FIRST_WAIT = 1.0
"""Seconds for which a hook pauses after a failure; doubled with each further one."""

LONGEST_WAIT = 60.0
"""Seconds for which it pauses at most by itself."""

MOST_ASKED = 3600.0
"""Seconds for which it pauses at most where the receiver asks for it."""

_OVERHEAD = 1000  # bytes of a task beside its long texts, about


class Happening(msgspec.Struct, frozen=True):
    """An event of a task at ``at`` (Unix seconds, UTC), and the task as it was known when it was taken in."""

    event: str
    at: float
    cluster: str
    task: Task

    @property
    def key(self) -> str:
        """What identifies the event, however often it is delivered."""
        return f"{quote(self.cluster)}/{quote(self.task.uuid)}/{self.event}/{self.at:.6f}"

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        task = self.task
        texts = (task.args, task.kwargs, task.result, task.error, task.traceback)
        return _OVERHEAD + sum(len(text) for text in texts if text)


def is_wanted(hook: HookSettings, event: str, cluster: str, name: str) -> bool:
    """Whether a hook is told of this event of a task called ``name``."""
    return event in hook.on and _like_one(cluster, hook.clusters) and _like_one(name, hook.tasks)


def document(happening: Happening, base: str) -> dict[str, Any]:
    """Return the body; ``base`` is what links begin with (empty: there is no link)."""
    task, path = happening.task, f"/clusters/{quote(happening.cluster)}/tasks/{quote(happening.task.uuid)}"
    return {
        "version": SHAPE,
        "key": happening.key,
        "event": happening.event,
        "at": happening.at,
        "cluster": happening.cluster,
        "url": base + path if base else "",
        "task": {field: getattr(task, field) for field in task.__struct_fields__},
    }


def pause(failures: int, asked: float | None) -> float:
    """Return the seconds to wait after so many failures in a row; ``asked`` is what the receiver wants."""
    own = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 16))
    return own if asked is None else min(MOST_ASKED, max(own, asked))


def _like_one(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
