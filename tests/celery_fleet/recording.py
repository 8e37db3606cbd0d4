"""Captures in files, as golden data: what real workers sent, for tests that start none.

A file is gzipped JSON lines: a header, then one line a message (see ``capture.Message``).
"""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.celery_fleet.capture import Event, Message, flat

FOLDER = Path(__file__).parents[1] / "data" / "celery_events"
ROOT = Path(__file__).parents[2]

_PLACES = {
    str(ROOT): "/srv/shop",
    f"@{socket.gethostname()}": "@client-1",
}
"""What stands in tracebacks and node names that is of this machine, and what stands there instead."""

_PACKAGES = re.compile(r'/[^\s"]*/site-packages(?=/)')
"""Where the workers' packages are, whatever interpreter runs them; ``/srv/python`` stands there instead."""


@dataclass(frozen=True)
class Recording:
    """What was captured of one worker with every case of the load.

    ``queues`` has the queue of each node. ``expected`` lists task name, type of event, and how many must be counted;
    nothing is said of ``celery.chord_unlock``.
    """

    celery: str
    broker: str
    pool: str
    sent_events: bool
    queues: dict[str, str]
    expected: list[tuple[str, str, int]]
    messages: list[Message]

    @property
    def events(self) -> list[Event]:
        """One by one, in the order in which they came."""
        return list(flat(self.messages))

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """What must be counted, by task name and type of event."""
        return Counter({(name, type_): count for name, type_, count in self.expected})


def names() -> Sequence[str]:
    """The recordings that there are, such as ``redis-prefork``."""
    return sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


def load(name: str) -> Recording:
    """One of them."""
    text = gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).decode()
    header, *lines = (json.loads(line) for line in text.split("\n") if line)
    header["expected"] = [tuple(each) for each in header["expected"]]
    return Recording(**header, messages=lines)


def save(recording: Recording, path: Path) -> None:
    """Write a recording, without what is of this machine."""
    header = asdict(recording)
    lines = [header, *header.pop("messages")]
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    for found, instead in _PLACES.items():
        text = text.replace(found, instead)
    text = _PACKAGES.sub("/srv/python", text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
