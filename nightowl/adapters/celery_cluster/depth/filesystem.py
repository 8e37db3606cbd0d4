"""Depth of queues in a folder, as kombu's filesystem transport keeps them: a file ``<time>_<id>.<queue>.msg`` each.

A file is moved away when its message is taken: what workers hold cannot be told.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection

from nightowl.adapters.celery_cluster.control.broker import Broker as Place
from nightowl.core.cluster.state import Broker, Queue
from nightowl.core.errors import Unavailable

_ENDING = ".msg"


class FolderDepth:
    """See ``ports.clusters.ClusterDepth``. The folder is ``data_folder_in`` of kombu's options, where workers read."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._folder = str(place.options.get("data_folder_in", "data_in"))

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty."""
        wanted, counts, oldest = frozenset(names), Counter[str](), dict[str, float]()
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    name = entry.name.partition(".")[2].removesuffix(_ENDING)
                    if name in wanted and entry.name.endswith(_ENDING):
                        counts[name] += 1
                        oldest[name] = min(oldest.get(name, time.time()), _written(entry))
        except FileNotFoundError:
            pass  # nobody has sent anything yet
        except OSError as error:
            raise Unavailable(f"the folder {self._folder} cannot be read: {error.strerror}") from None
        now = time.time()
        return [Queue(name=name, ready=counts[name], age=max(0.0, now - oldest.get(name, now))) for name in names]

    def broker(self) -> Broker:
        """Which folder it is."""
        return Broker(kind=self._place.kind, url=self._place.shown)

    def close(self) -> None:
        """Nothing is kept open."""


def _written(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:  # it was taken meanwhile
        return time.time()
