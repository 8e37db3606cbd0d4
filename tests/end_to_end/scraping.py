"""A scraper that never rests, and notices each counter that runs backwards."""

from __future__ import annotations

import threading
import time
from typing import Self

from tests.core.exposition_reader import read
from tests.end_to_end.watching import Watching

PAUSE = 0.05


class Scraper:
    """Reads the cluster's metrics of these processes all the time; ``backwards`` says what fell, in words."""

    def __init__(self, nightowl: Watching, *names: str) -> None:
        self.backwards: list[str] = []
        self._nightowl = nightowl
        self._counts = dict.fromkeys(names, 0)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(name,)) for name in names]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, name: str, scrapes: int = 10) -> None:
        """Wait until this process was read some times more."""
        wanted, end = self._counts[name] + scrapes, time.monotonic() + 60
        while self._counts[name] < wanted:
            assert time.monotonic() < end, f"{name} is not read\n{self._nightowl.logs()}"
            time.sleep(PAUSE)

    def _run(self, name: str) -> None:
        before: dict[object, float] = {}
        while not self._stop.wait(PAUSE):
            try:
                page = self._nightowl.metrics(name)
            except OSError:  # it was killed
                continue
            found, kinds = read(page)
            rising = tuple(family for family, kind in kinds.items() if kind in ("counter", "histogram"))
            for series, value in found.items():
                if series[0].startswith(rising) and not series[0].endswith("_created"):
                    if value < before.get(series, 0.0):
                        self.backwards.append(f"{name}: {series} fell from {before[series]} to {value}")
                    before[series] = value
            self._counts[name] += 1
