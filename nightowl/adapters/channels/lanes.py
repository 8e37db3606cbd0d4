"""A lane for each channel: one thread while it has something to send."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Thread
from time import monotonic


class ThreadLanes:
    """Runs the work of each channel in a thread of its own; to be used from one thread."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}

    def busy(self) -> Collection[str]:
        """The channels whose work has not ended."""
        self._threads = {channel: thread for channel, thread in self._threads.items() if thread.is_alive()}
        return self._threads.keys()

    def run(self, channel: str, work: Callable[[], None]) -> None:
        """Begin ``work`` and return. A process that ends does not wait for it: its claims end by themselves."""
        thread = Thread(target=work, name=f"channel {channel}", daemon=True)
        self._threads[channel] = thread
        thread.start()

    def join(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for all work; return whether it ended."""
        deadline = monotonic() + timeout
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - monotonic()))
        return not self.busy()
