"""Runs of tasks, as a check of kind ``task`` follows them. Pure: ``now`` is an argument.

A run begins when a worker first starts the task, and ends when it succeeds or fails; its retries are a part of it, and
no failures. Several runs may be under way at once.

- A *start* meets what was expected, and the next one is counted from it.
- An *end* is up or down, at its moment. One that is older than an end that was judged already says nothing.
- A run that takes longer than ``max_runtime`` is down when that is over, once, and need not have ended.
- A start or an end that was not heard in a time in which not everything could be heard is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from nightowl.core.values import Heartbeat, Ping, Pulse, Run, State, Verdict

MOST_RUNS = 100
"""Runs under way that are known of one check; of more, the oldest are forgotten."""

FORGOTTEN = 86400.0
"""Seconds after which a run is forgotten that may take as long as it likes."""

LONGEST_ERROR = 300
"""Characters of a task's error that a verdict repeats."""

Span = tuple[float, float]
"""From when until when, in Unix seconds."""


def in_order(pings: Sequence[Ping]) -> list[Ping]:
    """Calls by moment, each end of a run that tells when it began after a start of its own."""
    begun = [replace(each, signal="start", at=min(each.started, each.at)) for each in pings if each.started is not None]
    return sorted([*begun, *pings], key=lambda ping: (ping.at, ping.signal != "start", ping.id))


def find(pulse: Pulse, run: str) -> Run | None:
    """The run with this id that is under way."""
    return next((each for each in pulse.runs if each.id == run), None)


def begun(pulse: Pulse, ping: Ping) -> Pulse:
    """Note that a run is under way."""
    known = [*pulse.runs, Run(ping.run, ping.at)]
    if pulse.plan.max_runtime is None:
        known = [run for run in known if run.at > ping.at - FORGOTTEN]
    return replace(pulse, runs=tuple(sorted(known, key=lambda run: run.at)[-MOST_RUNS:]))


def ended(pulse: Pulse, ping: Ping, run: Run | None, now: float) -> tuple[Pulse, Verdict | None]:
    """Note that a run has ended, and judge its end unless a later one was judged."""
    left = replace(pulse, runs=tuple(each for each in pulse.runs if each.id != ping.run))
    if ping.at < pulse.ended:
        return left, None
    verdict = Verdict(
        check=pulse.check,
        due=round(ping.at, 3),
        closed=now,
        state=State.UP if ping.signal == "success" else State.DOWN,
        places=(),
        reason="" if ping.signal == "success" else "task.failed",
        detail="" if ping.signal == "success" else _failure(ping),
        duration=None if run is None else max(0.0, round(ping.at - run.at, 3)),
    )
    return replace(left, ended=ping.at), verdict


def due(pulse: Pulse) -> float | None:
    """When the time of the run that began first is over (None: none is under way, or has been told of)."""
    longest = pulse.plan.max_runtime
    first = next((run for run in pulse.runs if not run.told), None)
    return None if first is None or longest is None else round(first.at + longest, 3)


def overrun(pulse: Pulse, deaf: Sequence[Span], now: float) -> tuple[Pulse, Verdict]:
    """Judge the run whose time is over first, once: also where its end may not have been heard, and comes later."""
    run = next(run for run in pulse.runs if not run.told)
    over = round(run.at + (pulse.plan.max_runtime or 0.0), 3)
    unknown = unheard(deaf, run.at, over)
    detail = f"the task started {local(run.at, pulse.plan)} and had not ended by {local(over, pulse.plan)}"
    kept = tuple(replace(each, told=True) if each is run else each for each in pulse.runs)
    return replace(pulse, runs=kept), _silence(pulse, over, "task.unfinished", detail, unknown, now)


def late(pulse: Pulse, expected: float, unknown: Span | None, now: float) -> Verdict:
    """Judge a period that ended at its deadline, without a start: down, or unknown where it may have been missed."""
    deadline = expected if pulse.deadline is None else pulse.deadline
    detail = f"the task was expected {local(expected, pulse.plan)} and had not started by {local(deadline, pulse.plan)}"
    return _silence(pulse, deadline, "task.late", detail, unknown, now)


def unheard(deaf: Sequence[Span], start: float, end: float) -> Span | None:
    """The first span in which nothing was heard that touches a time."""
    return next((span for span in deaf if span[0] <= end and span[1] >= start), None)


def local(moment: float, plan: Heartbeat) -> str:
    """A moment by the clock on the wall of a plan."""
    return datetime.fromtimestamp(moment, ZoneInfo(plan.timezone)).strftime("%Y-%m-%d %H:%M:%S %Z")


def _silence(pulse: Pulse, at: float, reason: str, detail: str, unknown: Span | None, now: float) -> Verdict:
    return Verdict(
        check=pulse.check,
        due=at,
        closed=now,
        state=State.DOWN if unknown is None else State.UNKNOWN,
        places=(),
        reason=reason if unknown is None else "task.unheard",
        detail=detail if unknown is None else _deafness(pulse.plan, unknown, now),
    )


def _deafness(plan: Heartbeat, span: Span, now: float) -> str:
    start, end = span
    if start <= 0:
        return f"no events of cluster {plan.cluster} have been heard yet"
    until = "" if end > now else f" until {local(end, plan)}"
    return f"not all events of cluster {plan.cluster} were heard from {local(start, plan)} on{until}"


def _failure(ping: Ping) -> str:
    first = ping.tail.strip().partition("\n")[0][:LONGEST_ERROR]
    return f"the task failed: {first}" if first else ""
