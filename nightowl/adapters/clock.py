"""The machine's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Wall time and steady time of this machine."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never step."""
        return time.monotonic()
