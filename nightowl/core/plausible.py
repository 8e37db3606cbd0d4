"""What an actor may say: numbers that a measurement can give, texts of bounded length, parts that fit together.

Whoever holds a location's key may report anything. What could not have been measured is refused where it arrives, so
that it neither stops the director nor reaches the store.
"""

from __future__ import annotations

import re

from nightowl.core.values import Attempt, Certificate, Outcome, Report, State

LONGEST = 86_400.0
"""Seconds that an attempt or a phase may have taken."""

LATEST = 32_503_680_000.0
"""The year 3000 in Unix seconds; no clock shows a later moment."""

CALENDAR = (-62_135_596_800.0, 253_402_300_799.0)
"""The first and the last second of the years 1 to 9999, which certificates may name."""

MOST_ATTEMPTS = 100
"""Attempts in an outcome at most; a check makes 20 at most."""

_TEXT = 16_000  # characters; a TEXT column of MariaDB holds 65,535 bytes
_WORD = 200
_NAME = re.compile(r"[\x21-\x7e]{1,200}")


def is_plausible(report: Report) -> bool:
    """Whether a report can be taken in at all; its outcomes are judged one by one."""
    return bool(_NAME.fullmatch(report.actor)) and bool(_NAME.fullmatch(report.location)) and _is_moment(report.sent)


def fits_together(outcome: Outcome) -> bool:
    """Whether an outcome is one that attempts can have led to."""
    attempts, kept = outcome.attempts, outcome.kept
    if len(attempts) > MOST_ATTEMPTS or len(outcome.actor) > _WORD or not all(map(_measured, attempts)):
        return False
    if kept is None or not attempts:
        return kept is None and not attempts and outcome.state is State.UNKNOWN and not outcome.offline
    if not 0 <= kept < len(attempts):
        return False
    if outcome.offline:
        return outcome.state is State.UNKNOWN and attempts[kept].state is State.DOWN
    return outcome.state is attempts[kept].state


def _measured(attempt: Attempt) -> bool:
    phases = attempt.phases
    spans = (attempt.duration, phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer)
    return (
        _is_moment(attempt.started)
        and all(map(_is_span, spans))
        and (attempt.status is None or 0 <= attempt.status <= 99_999)
        and len(attempt.reason) <= _WORD
        and len(attempt.address) <= _WORD
        and len(attempt.detail) <= _TEXT
        and len(attempt.excerpt) <= _TEXT
        and (attempt.certificate is None or _is_certificate(attempt.certificate))
    )


def _is_certificate(certificate: Certificate) -> bool:
    first, last = CALENDAR
    return all(first <= moment <= last for moment in (certificate.not_before, certificate.not_after))


def _is_span(seconds: float | None) -> bool:
    """Whether so many seconds can have been measured; NaN cannot."""
    return seconds is None or 0 <= seconds <= LONGEST


def _is_moment(moment: float) -> bool:
    """Whether a moment can be one of a clock, be it a wrong one; NaN is none."""
    return 0 <= moment <= LATEST
