"""Tasks that fail more often than usual.

Of those that ended within ten minutes more failed than chance makes likely, given the share of the day before this
hour: by four standard deviations of the binomial distribution, and by five failures. It ends below two deviations, or
when nothing fails any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from nightowl.core.cluster.finding import shortened
from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.cluster.findings.usual import Ends

KNOWN = 100
"""Ends of the day before that must be known."""

ENOUGH = 20
"""Ends within ten minutes that say something."""

FEW = 5
"""Failures beyond the usual that may be chance, however rare failures are."""

_OPENS, _ENDS = 4.0, 2.0


def look(scene: Scene) -> Iterator[Sign]:
    """Yield the names of tasks that fail more often than usual."""
    for name, usual in scene.memory.usual.items():
        lately = usual.lately(scene.now)
        if not lately.failed or scene.skips(name):
            continue
        before = usual.before(scene.now)
        if before.ended >= KNOWN and _exceeds(lately, before, _ENDS, 0):
            yield Sign(
                rest=shortened(name),
                sentence=f"task {name} fails more often than usual: {_share(lately)} of {lately.ended:,} runs in the "
                f"last 10 minutes, {_share(before)} in the day before",
                fires=lately.ended >= ENOUGH and _exceeds(lately, before, _OPENS, FEW),
                task=name,
                page="failures",
            )


def _exceeds(lately: Ends, before: Ends, deviations: float, few: int) -> bool:
    usual = before.failed / before.ended
    likely = lately.ended * usual
    return lately.failed > likely + deviations * sqrt(likely * (1 - usual)) + few


def _share(ends: Ends) -> str:
    return f"{ends.failed / ends.ended:.1%}".replace("%", " %")
