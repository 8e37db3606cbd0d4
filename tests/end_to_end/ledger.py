"""An append-only record of what really happened, kept by those whom NightOwl knows nothing of.

A line is one JSON object with the moment ``at`` (Unix seconds), written in one piece before the answer goes out.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Ledger:
    """Lines of one file; safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, **facts: Any) -> None:
        """Append a line."""
        os.write(self._file, json.dumps({"at": time.time(), **facts}).encode() + b"\n")

    def read(self) -> list[dict[str, Any]]:
        """Everything so far, in the order of writing."""
        return [json.loads(line) for line in self._path.read_text().splitlines()]

    def close(self) -> None:
        """Write no more."""
        os.close(self._file)
