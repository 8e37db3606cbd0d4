"""All detectors, and how they are asked: signs become findings, and stay that until the signs are gone.

What cannot be judged stands as it is: while the broker is away, nothing opens and nothing ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.finding import Finding, bounded
from nightowl.core.cluster.findings import (
    backlog,
    beat,
    failure_rate,
    failures,
    gaps,
    lost,
    stages,
    stuck,
    unconsumed,
    unreceived,
    workers,
)
from nightowl.core.cluster.findings.memory import Held, Memory
from nightowl.core.cluster.findings.scene import Scene, Sign, collect
from nightowl.core.cluster.settings import ClusterSettings, FindingSettings
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task, TaskState
from nightowl.core.values import Severity

PAUSE = 30.0
"""Seconds between two judgements after which the watcher itself stood still, and may have missed events."""

SWEEP = 60.0
"""Seconds between two times that what is too old is forgotten."""


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. ``after`` is what it takes unless tuned; ``holds``: its signs must last for as long."""

    name: str
    look: Callable[[Scene], Iterable[Sign]]
    severity: Severity = Severity.WARNING
    after: float = 0.0
    holds: bool = False


DETECTORS = (
    Detector(name="failures", look=failures.look),
    Detector(name=workers.NAME, look=workers.look),
    Detector(name="lost", look=lost.look),
    Detector(name="stuck", look=stuck.look, after=60.0),
    Detector(name="unreceived", look=unreceived.look, after=300.0),
    Detector(name="unconsumed", look=unconsumed.look, severity=Severity.CRITICAL, after=60.0, holds=True),
    Detector(name="backlog", look=backlog.look, after=600.0),
    Detector(name="failure_rate", look=failure_rate.look),
    Detector(name="beat", look=beat.look, after=120.0),
    Detector(name="stages", look=stages.look, after=1800.0),
    Detector(name="gaps", look=gaps.look, severity=Severity.INFO),
)

_UNTUNED = FindingSettings()
_RUN = frozenset({TaskState.SUCCESS, TaskState.FAILURE})


def observe(memory: Memory, tasks: Sequence[Task], settings: ClusterSettings, now: float) -> None:
    """Take in what has become of tasks: those of a batch that is written, at ``now`` (Unix seconds).

    A task may come again as it was; of one that succeeded, that counts again, which does no harm.
    """
    ended: dict[str, int] = {}
    failed: dict[str, int] = {}
    for task in tasks:
        if task.state not in _RUN or not task.name:
            continue
        name = task.name
        ended[name] = ended.get(name, 0) + 1
        if task.state == TaskState.FAILURE:
            failed[name] = failed.get(name, 0) + 1
        elif task.runtime is not None:
            memory.of(name).ran(task.runtime)
    for name, count in ended.items():
        memory.of(name).ended(count, failed.get(name, 0), now)
    stages.observe(memory, ended)
    failures.observe(memory, tasks, settings, now)
    lost.observe(memory, tasks, now)


def judge(
    memory: Memory,
    state: ClusterState,
    tasks: Iterable[Task],
    settings: ClusterSettings,
    now: float,
    purged: Mapping[str, float],
) -> tuple[Finding, ...]:
    """Return what goes wrong; call it every few seconds.

    ``tasks`` are those that have not ended, oldest first; ``purged`` says when queues were purged last through
    NightOwl, in Unix seconds.
    """
    if state.fault:
        return bounded(_told(memory))
    _note_gaps(memory, state, now)
    if not 0 <= now - memory.swept < SWEEP:
        memory.swept = now
        for usual in memory.usual.values():
            usual.age(now)
    least = _after(settings, "unreceived")
    unreceived = least, least + settings.failures.resolve
    scene = Scene(
        state=state,
        open=collect(tasks, memory, now, stuck=_after(settings, "stuck"), unreceived=unreceived),
        memory=memory,
        settings=settings,
        workers={worker.name: worker for worker in state.workers},
        now=now,
        purged=purged,
    )
    for detector in DETECTORS:
        _advance(detector, scene, settings.findings.get(detector.name, _UNTUNED))
    return bounded(_told(memory))


def _after(settings: ClusterSettings, name: str) -> float:
    tuned = settings.findings.get(name, _UNTUNED).after
    return next(each.after for each in DETECTORS if each.name == name) if tuned is None else tuned


def _note_gaps(memory: Memory, state: ClusterState, now: float) -> None:
    """Note when events were lost last; a watcher that stood still may have lost some without knowing."""
    ends = [gap.end for gap in state.gaps if gap.lost != 0]
    paused = [now] if memory.judged and not 0 <= now - memory.judged <= PAUSE else []
    memory.deaf = max([memory.deaf, *ends, *paused])
    memory.judged = now


def _advance(detector: Detector, scene: Scene, tuning: FindingSettings) -> None:
    held = scene.memory.held.setdefault(detector.name, {})
    if not tuning.on:
        held.clear()
        return
    after = detector.after if tuning.after is None else tuning.after
    scene = replace(scene, tuning=tuning, after=after)
    signs = {sign.rest: sign for sign in detector.look(scene)}
    for rest in held.keys() - signs.keys():
        del held[rest]
    for rest, sign in signs.items():
        _hold(detector, held, rest, sign, scene)


def _hold(detector: Detector, held: dict[str, Held], rest: str, sign: Sign, scene: Scene) -> None:
    known = held.get(rest)
    if known is None:
        if not sign.fires:
            return
        known = held[rest] = Held(scene.now if sign.since is None else min(sign.since, scene.now))
    if known.told is None and not sign.fires:
        del held[rest]
    elif known.told or not detector.holds or scene.now - known.since >= scene.after:
        known.told = _finding(detector, known, sign, scene)


def _finding(detector: Detector, known: Held, sign: Sign, scene: Scene) -> Finding:
    usual = scene.tuning.severity or detector.severity
    return Finding(
        detector=detector.name,
        rest=sign.rest,
        since=known.since,
        severity=max(usual, sign.severity or usual, key=lambda each: each.rank),
        sentence=sign.sentence,
        count=sign.count,
        tally=sign.tally,
        last=sign.last,
        task=sign.task,
        queue=sign.queue,
        worker=sign.worker,
        uuid=sign.uuid,
        details=sign.details,
        path=f"/clusters/{quote(scene.state.name, safe='')}/{sign.page}".rstrip("/"),
    )


def _told(memory: Memory) -> list[Finding]:
    return [held.told for each in memory.held.values() for held in each.values() if held.told is not None]
