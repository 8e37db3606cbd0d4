"""A sign of life for roles without HTTP: a small file in the state folder, written while the role's loop turns."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nightowl.config import state_folder

FRESH = 15.0
"""Seconds after which a sign of life is too old."""

BEAT = 2.0
"""Seconds between signs of life."""


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """What a role said last: its process, when (Unix seconds), what it cannot do now (empty: nothing), its figures."""

    role: str
    pid: int
    at: float
    fault: str = ""
    figures: dict[str, float] = {}


class Pulse:
    """Writes a role's signs of life. A folder that cannot be written costs the health check, not the role."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._path = _folder() / f"{role}.{os.getpid()}.json"
        self._last = -BEAT

    def beat(self, fault: str = "", figures: Mapping[str, float] | None = None) -> None:
        """Say that the loop turns, at most every ``BEAT`` seconds; ``figures`` are values by metric."""
        steady = time.monotonic()
        if steady - self._last < BEAT:
            return
        self._last = steady
        sign = Sign(role=self._role, pid=os.getpid(), at=time.time(), fault=fault, figures=dict(figures or {}))
        try:
            part = self._path.with_suffix(".part")
            part.write_bytes(msgspec.json.encode(sign))
            part.replace(self._path)
        except OSError:
            return

    def end(self) -> None:
        """Take the sign away: the role has stopped."""
        self._path.unlink(missing_ok=True)


def signs(role: str) -> list[Sign]:
    """Return what the processes of a role on this machine said last; those that ended long ago are left out."""
    found = []
    for path in sorted(_folder().glob(f"{role}.*.json")):
        try:
            sign = msgspec.json.decode(path.read_bytes(), type=Sign)
        except (OSError, msgspec.DecodeError):
            continue
        if _runs(sign.pid):
            found.append(sign)
        else:
            path.unlink(missing_ok=True)
    return found


def _folder() -> Path:
    folder = state_folder() / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
