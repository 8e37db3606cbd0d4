"""The judge: compares what NightOwl says with what targets and receivers wrote down, by rules of its own.

It shares no code with what it judges beyond reading the store. A finding is a sentence; none means that nothing was
lost, doubled or made up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nightowl.core.values import Incident, State, Verdict
from nightowl.ports import OutboxRow, Store
from tests.end_to_end.fleet import LOCATIONS, STALE
from tests.end_to_end.targets import Target, Targets

EVERYTHING = 10**9
SLACK = 0.1
"""Seconds by which two processes on one machine may disagree about the order of things."""

LAG = 5.0
"""Seconds after an instant at which rules are evaluated: what a round due before it found until then counts."""


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end. ``counted`` are verdicts by check and ``missed`` rounds, as the store counts them.

    ``troubles`` are the spans (Unix seconds) in which something was dead or starting.

    ``sure``: seconds after which an outage must have had its incident, whatever was killed meanwhile, not counting the
    spans in which broker or store were ``away``; one that gave ``down_after`` verdicts *down* must have had it anyway.
    """

    targets: Targets
    hits: Sequence[dict[str, Any]]
    receipts: Sequence[dict[str, Any]]
    verdicts: dict[str, list[Verdict]]
    counted: dict[str, int]
    missed: int
    incidents: Sequence[Incident]
    outbox: dict[str, list[OutboxRow]]
    troubles: Sequence[tuple[float, float]]
    away: Sequence[tuple[float, float]]
    sure: float
    down_after: int

    @property
    def of_checks(self) -> dict[str, list[Incident]]:
        """The incidents of each target's check, oldest first."""
        return self._of("check", lambda incident: incident.subject)

    @property
    def of_rules(self) -> dict[str, list[Incident]]:
        """The incidents of the fleet's rule about each target, oldest first."""
        return self._of("rule", lambda incident: incident.tags["check"])

    def _of(self, kind: str, target: Callable[[Incident], str]) -> dict[str, list[Incident]]:
        found: dict[str, list[Incident]] = {name: [] for name in self.targets.all}
        for incident in sorted(self.incidents, key=lambda each: each.opened):
            if incident.kind == kind:
                found[target(incident)].append(incident)
        return found


def gather(store: Store, targets: Targets, receipts: Sequence[dict[str, Any]], **known: Any) -> Evidence:
    """Read the store as it is at the end; ``known`` is the rest of the evidence."""
    with store.read() as unit:
        verdicts = {name: unit.rounds.verdicts(name, 0, EVERYTHING * 10, EVERYTHING) for name in targets.all}
        counted = {}
        for name, found in verdicts.items():
            first, last = (int(found[0].due // 86400), int(found[-1].due // 86400)) if found else (0, 0)
            days = unit.rounds.days(name, first, last)
            counted[name] = sum(day.up + day.degraded + day.down + day.unknown for day in days)
        incidents, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=EVERYTHING)
        lost = unit.rounds.missed()
        outbox = {each.id: unit.outbox.of(each.id) for each in incidents}
    return Evidence(
        targets=targets,
        hits=targets.hits(),
        receipts=receipts,
        verdicts=verdicts,
        counted=counted,
        missed=lost,
        incidents=incidents,
        outbox=outbox,
        **known,
    )


def judge(evidence: Evidence) -> list[str]:
    """All findings."""
    rules = (rounds, truth, incidents, episodes, notices, bursts)
    return [finding for rule in rules for finding in rule(evidence)]


def missed(evidence: Evidence) -> int:
    """How many rounds have no verdict, by the distance between those that have."""
    return sum(count for name in evidence.verdicts for _, count in _gaps(evidence, name))


def rounds(evidence: Evidence) -> Iterator[str]:
    """Every round that was due has exactly one verdict, or is counted as missed and had a reason for it."""
    if evidence.missed != missed(evidence):
        yield f"{missed(evidence)} rounds have no verdict, and {evidence.missed} are counted as missed"
    for name, found in evidence.verdicts.items():
        dues = Counter(verdict.due for verdict in found)
        yield from (f"{name}: {count} verdicts for {due}" for due, count in dues.items() if count > 1)
        if evidence.counted[name] != len(found):
            yield f"{name}: {len(found)} verdicts, but {evidence.counted[name]} counted by day"
        every = evidence.targets.all[name].every
        for due, _ in _gaps(evidence, name):
            if not any(start <= due + every and due <= end for start, end in evidence.troubles):
                yield f"{name}: no verdict for {due}, when nothing was wrong"


def truth(evidence: Evidence) -> Iterator[str]:
    """A verdict says what the target did between the round's due moment and its end."""
    hits: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for hit in evidence.hits:
        hits[hit["name"], hit["well"]].append(hit["at"])
    for name, found in evidence.verdicts.items():
        for verdict in found:
            if verdict.state is State.UNKNOWN:
                continue
            well = verdict.state is State.UP
            seen = hits[name, well]
            if not any(verdict.due - SLACK <= at <= verdict.closed + SLACK for at in seen):
                yield f"{name}: {verdict.state} at {verdict.due}, but its ledger has no such answer ({verdict.detail})"


def incidents(evidence: Evidence) -> Iterator[str]:
    """Every outage that lasted long enough has exactly one incident, and every incident an outage."""
    for name, found in evidence.of_checks.items():
        target = evidence.targets.all[name]
        outages = evidence.targets.outages(name)
        for start, end in outages:
            mine = [each for each in found if start - SLACK <= each.opened <= end + target.every]
            lasted = end - start - _overlap(evidence.away, start, end)
            insisted = lasted >= evidence.sure or _streak(evidence, name, start, end) >= evidence.down_after
            went_on = any(_went_on(evidence, name, each, start) for each in found)
            if len(mine) > 1 or (insisted and not mine and not went_on):
                yield f"{name}: {len(mine)} incidents for the outage from {start:.1f} to {end:.1f}"
            for each in mine:
                # its moment is when the round was due, and the round ends before the next
                if each.resolved is not None and each.resolved <= end - target.every:
                    yield f"{name}: incident {each.id} was over at {each.resolved:.1f}, the outage at {end:.1f}"
        for each in found:
            if not any(start - SLACK <= each.opened <= end + target.every for start, end in outages):
                yield f"{name}: incident {each.id} of {each.opened:.1f} without an outage"
            if each.resolved is None:
                yield f"{name}: incident {each.id} is still open"


def episodes(evidence: Evidence) -> Iterator[str]:
    """A rule's incident begins while its location's last word was *down*, and ends only after it was *up* again.

    One follows the other, and an outage that lasted long enough has one.
    """
    hits: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for hit in evidence.hits:
        if hit["location"] == LOCATIONS[0]:
            hits[hit["name"], hit["well"]].append(hit["at"])
    for name, found in evidence.of_rules.items():
        for each in found:
            yield from (f"{name}: {what}" for what in _episode(each, hits[name, False], hits[name, True]))
        for earlier, later in pairwise(found):
            if earlier.resolved is None or later.opened <= earlier.resolved:
                yield f"{name}: two incidents of the rule at {later.opened:.1f}"
        for start, end in evidence.targets.outages(name):
            lasted = end - start - _overlap(evidence.away, start, end)
            during = (each for each in found if each.opened <= end and (each.resolved or end) >= start)
            if lasted >= evidence.sure and not any(during):
                yield f"{name}: the rule missed the outage from {start:.1f} to {end:.1f}"


def _episode(incident: Incident, bad: Sequence[float], good: Sequence[float]) -> Iterator[str]:
    """What is wrong with an incident of the rule, given when its location saw the target broken and well."""
    seen = max((at for at in bad if incident.opened - STALE - SLACK <= at <= incident.opened + LAG), default=None)
    if seen is None:
        yield f"the rule fired at {incident.opened:.1f}, and nothing was wrong"
    elif incident.resolved is None:
        yield f"the rule's incident {incident.id} is still open"
    elif not any(seen < at <= incident.resolved + LAG for at in good):
        yield f"the rule's incident {incident.id} was over at {incident.resolved:.1f}, before the target was well"


def notices(evidence: Evidence) -> Iterator[str]:
    """What was announced is told over, in order; a repeat has the same key and says the same."""
    taken: dict[str, list[float]] = defaultdict(list)
    digests: dict[tuple[str, str], set[str]] = defaultdict(set)
    for receipt in evidence.receipts:
        digests[receipt["channel"], receipt["key"]].add(receipt["digest"])
        if receipt["taken"]:
            taken[receipt["key"]].append(receipt["at"])
    yield from (
        f"{key} came in {len(found)} versions to {at}" for (at, key), found in digests.items() if len(found) > 1
    )
    known = {row.notice.key for rows in evidence.outbox.values() for row in rows}
    yield from (f"{key} was received, but the store does not know it" for _, key in digests if key not in known)
    for incident in evidence.incidents:
        yield from _told(incident, evidence.outbox[incident.id], taken)


def _told(incident: Incident, rows: Sequence[OutboxRow], taken: dict[str, list[float]]) -> Iterator[str]:
    first: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        key, channel, step = row.notice.key, row.notice.channel, row.notice.step
        if row.status != "sent":
            yield f"{key} is {row.status} after {row.tries} tries: {row.error}"
        elif not taken[key]:
            yield f"{key} is marked as sent, but was never taken"
        else:
            first[channel][step] = min(taken[key])
    if not rows:
        yield f"nobody was told of incident {incident.id} about {incident.subject}"
    for channel, steps in first.items():
        if "firing" in steps and incident.resolved is not None and "resolved" not in steps:
            yield f"{channel} was told of {incident.id} about {incident.subject}, but not that it is over"
        if steps.get("resolved", steps.get("firing", 0.0)) < steps.get("firing", 0.0):
            yield f"{channel} was told that {incident.id} is over before it was told that it began"


def bursts(evidence: Evidence) -> Iterator[str]:
    """No target is asked more often than its round, one before it and one sent again account for."""
    at: dict[tuple[str, str], list[float]] = defaultdict(list)
    for hit in evidence.hits:
        at[hit["name"], hit["location"]].append(hit["at"])
    for (name, location), moments in at.items():
        every = evidence.targets.all[name].every
        for first, fourth in zip(moments, moments[3:], strict=False):
            if fourth - first < every:
                yield f"{name}: asked four times within {fourth - first:.1f} s from {location} at {first:.1f}"


def _overlap(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    """How many seconds between two moments lie in any of the spans, which are in order."""
    found, reached = 0.0, start
    for begun, over in spans:
        found += max(0.0, min(over, end) - max(begun, reached))
        reached = max(reached, min(over, end))
    return found


def _streak(evidence: Evidence, name: str, start: float, end: float) -> int:
    """The most verdicts *down* in a row during an outage; unknown ones do not count."""
    longest = streak = 0
    for verdict in evidence.verdicts[name]:
        if start - SLACK <= verdict.due <= end and verdict.state is not State.UNKNOWN:
            streak = streak + 1 if verdict.state is State.DOWN else 0
            longest = max(longest, streak)
    return longest


def _went_on(evidence: Evidence, name: str, incident: Incident, start: float) -> bool:
    """Whether an incident was still open at ``start``, as nobody had seen the target well since it opened."""
    lasted = incident.opened < start and (incident.resolved is None or incident.resolved >= start)
    between = (each for each in evidence.verdicts[name] if incident.opened < each.due < start)
    return lasted and not any(each.state is State.UP for each in between)


def _gaps(evidence: Evidence, name: str) -> Iterator[tuple[float, int]]:
    """The first missing due moment and how many there are, for each hole between verdicts."""
    target: Target = evidence.targets.all[name]
    dues = sorted(verdict.due for verdict in evidence.verdicts[name])
    for earlier, later in pairwise(dues):
        skipped = round((later - earlier) / target.every) - 1
        if skipped > 0:
            yield later - skipped * target.every, skipped
