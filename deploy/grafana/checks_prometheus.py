"""Checks over Prometheus: what each location sees of each."""

from __future__ import annotations

from deploy.grafana.boards import ORANGE, RED, Board, Panel, Row, Variable
from deploy.grafana.prometheus import ask, ask_now, figure, lines

SELECTED = 'check=~"$check", location=~"$location"'
DAY = 86400.0
SEEN = {"0": ("down", RED), "1": ("up", "green")}
VARIABLES = (
    Variable(name="location", label="Location", query="label_values(check_up, location)"),
    Variable(name="check", label="Check", query='label_values(check_up{location=~"$location"}, check)'),
)


def boards() -> list[Board]:
    """The one there is."""
    return [
        Board(
            uid="nightowl-checks",
            title="NightOwl: checks by location",
            says="What every location saw in the last round of each check.",
            source="prometheus",
            variables=VARIABLES,
            rows=(Row("Now", _now()), Row("Over time", _over_time()), Row("Certificates", (_certificates(),))),
        )
    ]


def _now() -> tuple[Panel, ...]:
    up = f"check_up{{{SELECTED}}}"
    down = f"count(max by (check, location) ({up}) == 0) or on() vector(0)"
    everywhere = f"count(max by (check) ({up}) == 0) or on() vector(0)"
    ends = f"min(check_certificate_expiry_seconds{{{SELECTED}}}) - time()"
    return (
        figure("Checks", "Checks that have had a round.", f"count(count by (check) ({up}))"),
        figure("Locations", "Locations that have voted.", f"count(count by (location) ({up}))"),
        figure("Down somewhere", "Pairs of check and location that are down.", down, steps=((1, ORANGE), (10, RED))),
        figure("Down everywhere", "Checks that no location sees up.", everywhere, steps=((1, RED),)),
        figure(
            "Availability",
            "The mean of what all locations saw, in the time that is shown.",
            f"avg(avg_over_time({up}[$__range]))",
            "percentunit",
        ),
        figure("Next certificate", "Until the first certificate ends.", ends, "s"),
    )


def _over_time() -> tuple[Panel, ...]:
    phases = f"check_duration_seconds{{{SELECTED}}}"
    whole = f"sum by (check, location) ({phases})"
    return (
        Panel(
            title="State",
            says="Up or down, by check and location.",
            targets=(ask(f"max by (check, location) (check_up{{{SELECTED}}})", "{{check}} from {{location}}"),),
            kind="state-timeline",
            words=SEEN,
            width=24,
            height=10,
        ),
        lines(
            "Duration by location",
            "The mean of all checks, at each location.",
            {"{{location}}": f"avg by (location) ({whole})"},
            "s",
        ),
        lines(
            "Slowest",
            "The ten slowest pairs of check and location.",
            {"{{check}} from {{location}}": f"topk(10, {whole})"},
            "s",
        ),
        lines("Phases", "Where the time goes, the mean.", {"{{phase}}": f"avg by (phase) ({phases})"}, "s"),
    )


def _certificates() -> Panel:
    ends = f"min by (check) (check_certificate_expiry_seconds{{{SELECTED}}})"
    return Panel(
        title="Days left",
        says="Of each check's certificate.",
        targets=(ask_now(f"sort(({ends} - time()) / {DAY:g})"),),
        unit="d",
        kind="table",
        steps=(),
        width=24,
    )
