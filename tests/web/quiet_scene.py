"""What is held back in the scene: silences, maintenance, a parent that is down, flapping, and who would be told."""

from __future__ import annotations

from msgspec.structs import replace

from nightowl.core.telling import Telling
from nightowl.core.values import Change, Escalation, Incident, Maintenance, Route, Severity, Silence, Suppression
from nightowl.ports import Store, Unit

HOUR = 3600.0

MAINTENANCE = (
    Maintenance(name="deploys", days=(1, 3), start=22 * HOUR, duration=HOUR, timezone="Europe/Paris",
                match={"team": "shop"}),
    Maintenance(name="backup", days=(6,), start=2.5 * HOUR, duration=1.5 * HOUR, timezone="America/New_York",
                match={"name": "*-db", "severity": "warning"}),
    Maintenance(name="night-shift", days=tuple(range(7)), start=18 * HOUR, duration=10 * HOUR,
                match={"name": "nobody"}),
)  # fmt: skip
ROUTES = (
    Route(name="shop", match={"team": "shop"}, to=("ops-mail", "ops-hook"), group_by=("team", "tier"),
          escalate=(Escalation(900.0, ("boss",)),)),
    Route(name="critical", match={"severity": "critical"}, to=("pager",), repeat=HOUR, wait=0.0),
)  # fmt: skip
TELLING = Telling(routes=ROUTES, maintenance=MAINTENANCE)


def fill(store: Store, now: float) -> None:
    """Silence, suppress and acknowledge, as of ``now``."""
    with store.transaction() as unit:
        for silence in (
            Silence(match={"name": "shop-search"}, start=now - HOUR, end=now + 2 * HOUR, author="ann",
                    comment="new index is being built", created=now - HOUR),
            Silence(match={"team": "shop", "severity": "warning"}, start=now + 5 * HOUR, end=now + 8 * HOUR,
                    author="local", created=now - HOUR),
            Silence(match={"kind": "own"}, start=now - 50 * HOUR, end=now - 49 * HOUR, author="ben", created=now),
        ):  # fmt: skip
            unit.silences.add(silence)
        _hold(unit, "shop-search", Suppression("silence", "1", now + 2 * HOUR), now)
        for subject, found in (
            ("reports-db", Suppression("maintenance", "night-shift", now + 3 * HOUR)),
            ("basket", Suppression("parent", "router")),
            ("login", Suppression("flapping", "55%")),
        ):
            unit.incidents.apply([opened(subject, found, now)])
        taken = unit.incidents.get("held-login")
        assert taken is not None
        acknowledged = replace(taken, acknowledged=now - 60, acknowledged_by="ann", acknowledged_until=now + HOUR)
        unit.incidents.apply([Change(event="acknowledged", incident=acknowledged, at=now - 60, text="", by="ann")])


def opened(subject: str, found: Suppression | None, now: float) -> Change:
    """An incident of a rule that opens."""
    incident = Incident(
        id=f"held-{subject}",
        kind="rule",
        subject=subject,
        severity=Severity.WARNING,
        summary=f"{subject} is firing: 7 > 5",
        opened=now - 300,
        suppressed=found,
    )
    return Change(event="opened", incident=incident, at=now - 300, text=incident.summary)


def _hold(unit: Unit, subject: str, found: Suppression, now: float) -> None:
    """Hold back the incident of a subject; where the scene has none, one that opens."""
    there = [each for each in unit.incidents.open() if each.subject == subject]
    held = replace(there[0] if there else opened(subject, None, now).incident, suppressed=found)
    unit.incidents.apply([Change(event="suppressed", incident=held, at=now - 50, text="suppressed by silence #1")])
