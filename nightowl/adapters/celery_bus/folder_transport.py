"""A broker that is a folder, for several processes on one machine with nothing to install: a transport of kombu.

kombu's own filesystem transport lets a reader take a file that is not written yet, and reads messages by way of the
machine's temporary folder. Here a message appears under its name only when it is whole, is taken by a rename that
one consumer wins, and never leaves the folder, which is the owner's alone.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

_TAKEN = ".taken"


class Channel(filesystem.Channel):
    """A channel that writes and takes whole messages."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020}_{uuid.uuid4().hex}.{queue}.msg"
        part = folder / f".{name}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(dumps(payload))
        part.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        folder = Path(self.data_folder_in)
        wanted = f"{queue}.msg"
        names = os.listdir(folder)  # noqa: PTH208 - names are all that is needed of thousands of files
        for name in sorted(each for each in names if each.partition(".")[2] == wanted):
            mine = folder / f"{name}{_TAKEN}"
            try:
                (folder / name).rename(mine)
            except FileNotFoundError:
                continue
            payload = mine.read_text(encoding="utf-8")
            mine.unlink()
            return loads(payload)
        raise Empty


class Transport(filesystem.Transport):
    """kombu's transport with that channel."""

    Channel = Channel
