"""Gaps: events were lost, so tasks may be missing, or look as if they had not ended."""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.cluster.findings.scene import Scene, Sign
from nightowl.core.messages import in_words, moment

LASTS = 600.0
"""Seconds for which a gap is told after it has ended."""


def look(scene: Scene) -> Iterator[Sign]:
    """Yield one sign for all gaps that have ended lately."""
    gaps = [gap for gap in scene.state.gaps if gap.lost != 0 and scene.now - gap.end < LASTS]
    if not gaps:
        return
    last = max(gaps, key=lambda gap: gap.end)
    known = [gap.lost for gap in gaps if gap.lost is not None]
    lost = f"{sum(known):,} events" if len(known) == len(gaps) else "events"
    took = in_words(sum(gap.end - gap.start for gap in gaps))
    yield Sign(
        rest="",
        sentence=f"{lost} were lost in {took} until {moment(last.end)}: {last.reason}",
        since=min(gap.start for gap in gaps),
        count=len(gaps),
        tally=f"{len(gaps)} gap{'' if len(gaps) == 1 else 's'}, the last until {moment(last.end)}",
        last=last.end,
        page="",
    )
