"""From attempts to an outcome: which attempt comes next, and which one is kept.

The rules are those of ``docs/checks.md``: attempts run one after another, each with its full timeout before the
job's deadline (a shortened one could call a healthy target down); the fastest good attempt is kept, and a fast
failure never is while a good attempt exists.
"""

from __future__ import annotations

from collections.abc import Sequence

from nightowl.core.values import Attempt, Job, Outcome, State


def next_attempt(job: Job, made: Sequence[Attempt], now: float) -> float | None:
    """Return in how many seconds the next attempt starts (0: now), or None when the job is finished.

    ``now`` is director time in Unix seconds, the moment at which the last attempt ended.
    """
    if len(made) >= job.attempts:
        return None
    if made and job.attempts_when == "failed" and made[-1].good:
        return None
    gap = job.attempt_gap if made else 0.0
    return gap if fits(job, now + gap) else None


def fits(job: Job, start: float) -> bool:
    """Whether an attempt that starts at ``start`` (director time) can use its whole timeout."""
    return start + job.target.timeout <= job.deadline


def kept(attempts: Sequence[Attempt]) -> int | None:
    """Return the index of the round's figure: the fastest good attempt, else the last that speaks of the target.

    Where every attempt was NightOwl's own fault that is the last one; without attempts it is None.
    """
    good = [i for i, attempt in enumerate(attempts) if attempt.good]
    if good:
        return min(good, key=lambda i: attempts[i].duration)
    down = [i for i, attempt in enumerate(attempts) if attempt.state is State.DOWN]
    if down:
        return down[-1]
    return len(attempts) - 1 if attempts else None


def outcome(job: Job, location: str, attempts: Sequence[Attempt], actor: str = "") -> Outcome:
    """Fold a location's attempts: its state is that of the kept one, unknown where none was made."""
    index = kept(attempts)
    return Outcome(
        check=job.check,
        due=job.due,
        location=location,
        state=State.UNKNOWN if index is None else attempts[index].state,
        attempts=tuple(attempts),
        kept=index,
        actor=actor,
    )
