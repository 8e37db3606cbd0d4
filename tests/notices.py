"""The incident and the notices that tests of messages tell of."""

from __future__ import annotations

from nightowl.core.values import Incident, Notice, Severity

SHOP = Incident(
    id="5f2c",
    kind="check",
    subject="shop",
    severity=Severity.CRITICAL,
    summary="shop is down: connection refused, seen from 3 of 3 locations",
    opened=1_700_000_000.0,
    reason="connect.refused",
    tags={"team": "shop"},
    runbook="https://wiki.example/shop",
)


def make_notice(step: str = "firing", incident: Incident = SHOP, text: str = "") -> Notice:
    """Make a notice four minutes into the incident."""
    url = "https://owl.example/incidents/5f2c"
    return Notice(incident=incident, step=step, channel="ops", created=1_700_000_240.0, text=text, url=url)
