"""What a notice says to people: a heading with a shape and a word, a sentence, and the facts.

A message depends on its notice alone, so a repeated send says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from nightowl.core.values import Incident, Notice, Severity, State

LISTED = 50
"""Other incidents that a message lists at most."""

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """``heading`` is one line (``■ DOWN: shop``), ``facts`` are names and values in the order to be shown.

    ``others`` has a line for each other incident that the notice tells of. ``url`` leads to the incident's page (may
    be empty), ``runbook`` to what to do (may be empty).
    """

    heading: str
    sentence: str
    facts: tuple[tuple[str, str], ...]
    others: tuple[str, ...] = ()
    url: str = ""
    runbook: str = ""

    @property
    def text(self) -> str:
        """All of it as plain text."""
        links = (("Runbook", self.runbook), ("Details", self.url))
        lines = [f"{name}: {value}" for name, value in (*self.facts, *links) if value]
        also = ["Also:", *(f"- {line}" for line in self.others), ""] if self.others else []
        return "\n".join([self.sentence, "", *also, *lines])


def compose(notice: Notice) -> Message:
    """Say what a notice means."""
    incident = notice.incident
    more = f" and {len(notice.others)} more" if notice.others else ""
    return Message(
        heading=f"{_mark(notice)}: {_one_line(incident.subject)}{more}",
        sentence=_sentence(notice),
        facts=() if notice.step == "test" else tuple((name, value) for name, value in _facts(notice) if value),
        others=other_lines(notice.others),
        url=notice.url,
        runbook=incident.runbook,
    )


def other_lines(incidents: Sequence[Incident]) -> tuple[str, ...]:
    """Return a line for each incident, of no more than ``LISTED`` of them: ``■ DOWN: db — db is down: ...``."""
    lines = [_other(incident) for incident in incidents[:LISTED]]
    rest = len(incidents) - len(lines)
    return (*lines, f"and {rest} more") if rest else tuple(lines)


def in_words(seconds: float) -> str:
    """How long, in the two largest units that are not zero: ``4 minutes``, ``2 hours 5 minutes``, ``3 days``."""
    rest, parts = max(0, round(seconds)), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 seconds"


def cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def moment(when: float) -> str:
    """Unix seconds as date and time: ``2026-11-20 18:55:07 UTC``."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _mark(notice: Notice) -> str:
    """Shape and word of the state: never a colour alone, never a shape alone."""
    if notice.step == "test":
        return "● TEST"
    if notice.step == "resolved":
        up = notice.text.startswith(f"{notice.incident.subject} is {State.UP}")
        return "● UP" if up else "● OVER"
    shape, word = _breach(notice.incident)
    return f"{shape} STILL {word}" if notice.step.startswith("repeat-") else f"{shape} {word}"


def _breach(incident: Incident) -> tuple[str, str]:
    """An incident's sentence says whether its check is degraded or down; others have the shape of their severity."""
    match incident.kind:
        case "own":
            return "◆", "FAILING"
        case "nodata":
            return "◆", "NO DATA"
        case "rule" | "cluster":
            word = "FIRING" if incident.kind == "rule" else "FOUND"
            return "■" if incident.severity is Severity.CRITICAL else "▲", word
    degraded = incident.summary.startswith(f"{incident.subject} is {State.DEGRADED}")
    return ("▲", "DEGRADED") if degraded else ("■", "DOWN")


def _other(incident: Incident) -> str:
    shape, word = ("●", "OVER") if incident.resolved is not None else _breach(incident)
    return f"{shape} {word}: {_one_line(incident.subject)} — {_clause(incident.summary)}"


def _sentence(notice: Notice) -> str:
    incident = notice.incident
    summary = _clause(incident.summary)
    lasted = in_words((incident.resolved or notice.created) - incident.opened)
    if notice.step == "resolved":
        text = _clause(notice.text) or f"{incident.subject}: over"
        return f"{_capital(text, incident)}. The incident lasted {lasted}."
    if notice.step == "raised":
        return f"It got worse: {summary}."
    if notice.step.startswith("repeat-"):
        return f"{_capital(summary, incident)}, for {lasted} now, and nobody has acknowledged it."
    return f"{_capital(summary, incident)}."


def _facts(notice: Notice) -> list[tuple[str, str]]:
    incident = notice.incident
    if incident.resolved is None:
        when = ("Since", f"{moment(incident.opened)} ({in_words(notice.created - incident.opened)})")
    else:
        when = ("Lasted", f"from {moment(incident.opened)} to {moment(incident.resolved)}")
    was = _clause(incident.summary) if notice.step == "resolved" else ""
    return [
        when,
        ("Was", "" if was in notice.text else was),
        ("Severity", incident.severity),
        ("Reason", incident.reason),
        ("Acknowledged by", incident.acknowledged_by),
        ("Tags", ", ".join(f"{name}={value}" for name, value in sorted(incident.tags.items()))),
    ]


def _clause(text: str) -> str:
    return _one_line(text).rstrip(".")


def _capital(text: str, incident: Incident) -> str:
    """Begin a sentence; the name of a check or rule, with which its sentences begin, is left as it is."""
    return text if text.startswith(incident.subject) else text[:1].upper() + text[1:]


def _one_line(text: str) -> str:
    return " ".join(text.split())
