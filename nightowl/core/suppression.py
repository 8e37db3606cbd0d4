"""What holds back that an incident opened: a silence, maintenance, a parent that is down, or flapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from nightowl.core.flapping import HORIZON, flapping, moments
from nightowl.core.matching import matches
from nightowl.core.sentences import moment
from nightowl.core.telling import Telling
from nightowl.core.values import Incident, Maintenance, Silence, Suppression


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What is around incidents at a moment.

    ``silences`` may have begun or not; ``maintenance`` is what is on now, by name, with the moment at which it ends;
    ``parents`` are the incidents of what others depend on: those that are open, and those that ended a while ago.
    """

    silences: Sequence[Silence] = ()
    maintenance: Sequence[tuple[Maintenance, float]] = ()
    parents: Sequence[Incident] = ()


def suppression(
    incident: Incident, past: Sequence[Incident], around: Around, telling: Telling, now: float
) -> Suppression | None:
    """Return what holds back an incident at ``now``; of several, what people said first.

    ``past`` are earlier incidents of the same subject, as far as ``looks_back``.
    """
    return (
        _silenced(incident, around, now)
        or _maintained(incident, around)
        or _parent_down(incident, around, telling, now)
        or _flapping(incident, past, telling, now)
    )


def looks_back(incident: Incident, telling: Telling) -> float:
    """Seconds of the past that say whether a subject flaps."""
    return HORIZON * max(telling.slots_of(incident))


def in_words(found: Suppression) -> str:
    """Say it: ``suppressed by silence #3 until 2026-11-29 10:00:00 UTC``."""
    until = f" until {moment(found.until)}" if found.until else ""
    match found.kind:
        case "silence":
            return f"suppressed by silence #{found.by}{until}"
        case "maintenance":
            return f"suppressed by maintenance {found.by}{until}"
        case "parent":
            return f"suppressed: parent down: {found.by}"
        case "flapping":
            return f"suppressed: flapping ({found.by} of the last 20 possible changes of state)"


def same(one: Suppression | None, other: Suppression | None) -> bool:
    """Whether two are told in the same words, but for how much something flaps."""
    if one is None or other is None or one.kind != "flapping":
        return one == other
    return one.kind == other.kind


def _silenced(incident: Incident, around: Around, now: float) -> Suppression | None:
    on = [each for each in around.silences if each.start <= now < each.end and matches(each.match, incident)]
    if not on:
        return None
    last = max(on, key=_ends)
    return Suppression("silence", str(last.id), last.end)


def _ends(silence: Silence) -> tuple[float, int]:
    return silence.end, -silence.id


def _maintained(incident: Incident, around: Around) -> Suppression | None:
    on: Mapping[str, float] = {each.name: end for each, end in around.maintenance if matches(each.match, incident)}
    if not on:
        return None
    last = max(on, key=lambda name: on[name])
    return Suppression("maintenance", last, on[last])


def _parent_down(incident: Incident, around: Around, telling: Telling, now: float) -> Suppression | None:
    """A parent counts as down until the incident had the time to end after it: both come back together."""
    parents = telling.parents_of(incident)
    back = now - telling.recovers(incident) if parents else now
    down = [
        each for each in around.parents if each.id != incident.id and (each.resolved is None or each.resolved > back)
    ]
    for parent in parents:
        if any(map(parent.is_down_by, down)):
            return Suppression("parent", parent.name)
    return None


def _flapping(incident: Incident, past: Sequence[Incident], telling: Telling, now: float) -> Suppression | None:
    changes = list(moments([*past, incident]))
    shares = [flapping(changes, now, slot) for slot in telling.slots_of(incident)]
    found = [share for share in shares if share is not None]
    return Suppression("flapping", f"{max(found):.0%}") if found else None
