"""Where series are read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nightowl.core.reading import Got, Need


class Source(Protocol):
    """Somewhere else that series are read from. It may be used by several threads at once."""

    def read(self, needs: Sequence[Need], seconds: float) -> list[dict[str, Got]]:
        """Return, for each need, what there is by identifier, within so many seconds. A fault is a result, too."""
