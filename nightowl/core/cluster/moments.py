"""Times that Celery writes as text."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str | None) -> float | None:
    """Return an ISO 8601 time in Unix seconds, UTC where it has no zone; None where it is none that UTC can tell."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None
