"""How ``nightowl probe`` shows outcomes: JSON lines for programs, plain lines in a pipe, a table on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nightowl.core.values import Attempt, Outcome, Phases, State

SHAPES = {State.UP: "●", State.DEGRADED: "▲", State.DOWN: "■", State.UNKNOWN: "◆"}
_COLOURS = {State.UP: "green", State.DEGRADED: "yellow", State.DOWN: "red", State.UNKNOWN: "magenta"}
_NOTHING = Attempt(
    state=State.UNKNOWN, started=0.0, duration=0.0, reason="own.late", detail="no attempt fitted before the deadline"
)

_encode = msgspec.json.Encoder().encode


def json_line(url: str, outcome: Outcome) -> bytes:
    """One outcome as a line of JSON; the figures are those of the attempt that was kept."""
    figure = outcome.figure or _NOTHING
    return (
        _encode(
            {
                "url": url,
                "check": outcome.check,
                "location": outcome.location,
                "state": outcome.state,
                "up": outcome.state is State.UP or outcome.state is State.DEGRADED,
                "reason": figure.reason,
                "detail": figure.detail,
                "status": figure.status,
                "duration": figure.duration,
                "phases": _phases(figure.phases),
                "address": figure.address,
                "certificate": None if figure.certificate is None else msgspec.structs.asdict(figure.certificate),
                "attempts": [_attempt(attempt) for attempt in outcome.attempts],
            }
        )
        + b"\n"
    )


def plain_line(url: str, outcome: Outcome) -> str:
    """One outcome as a line for a pipe: state, place, milliseconds, status, URL, cause."""
    figure = outcome.figure or _NOTHING
    status = "-" if figure.status is None else str(figure.status)
    cause = f"  {figure.reason}: {figure.detail}" if figure.reason else ""
    return f"{outcome.state:<8}  {outcome.location}  {figure.duration * 1000:.1f} ms  {status}  {url}{cause}\n"


class Screen:
    """A terminal: a bar while outcomes come in, then a table with the last outcome of each check at each location."""

    def __init__(self, outcomes: float | None) -> None:
        """``outcomes`` is how many will come (None: nobody knows)."""
        from rich.console import Console  # noqa: PLC0415  a tenth of a second that pipes and programs need not pay
        from rich.progress import Progress  # noqa: PLC0415  likewise

        self._console = Console()
        self._progress = Progress(console=self._console, transient=True)
        self._task = self._progress.add_task("Probing", total=outcomes)
        self._rows: dict[tuple[str, str, str], Outcome] = {}
        self._shown = 0

    def __enter__(self) -> Callable[[str, Outcome], None]:
        self._progress.start()
        return self._show

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()
        self._console.print(_table(self._rows))
        self._console.print(f"{self._shown} outcomes, {len(self._rows)} checks and locations", style="dim")

    def _show(self, url: str, outcome: Outcome) -> None:
        self._rows[url, outcome.check, outcome.location] = outcome
        self._shown += 1
        self._progress.advance(self._task)


def _table(rows: Mapping[tuple[str, str, str], Outcome]) -> Any:
    from rich.table import Table  # noqa: PLC0415  as above

    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("State", no_wrap=True)
    made.add_column("Check", overflow="fold")
    made.add_column("Location")
    made.add_column("Status", justify="right")
    made.add_column("Time", justify="right", no_wrap=True)
    made.add_column("Cause, or where the time went", ratio=1)
    for (url, _, _), outcome in rows.items():
        made.add_row(*_cells(url, outcome))
    return made


def _cells(url: str, outcome: Outcome) -> list[Any]:
    from rich.text import Text  # noqa: PLC0415  as above

    figure = outcome.figure or _NOTHING
    cause = f"{figure.reason}: {figure.detail}" if figure.reason else _times(figure.phases)
    return [
        Text(f"{SHAPES[outcome.state]} {outcome.state}", style=_COLOURS[outcome.state]),
        Text(url if outcome.check == url else f"{outcome.check} ({url})"),
        Text(outcome.location),
        Text("" if figure.status is None else str(figure.status)),
        Text(f"{figure.duration * 1000:.1f} ms"),
        Text(cause),
    ]


def _times(phases: Phases) -> str:
    parts = (
        f"{name.replace('_', ' ')} {seconds * 1000:.1f}"
        for name, seconds in _phases(phases).items()
        if seconds is not None
    )
    return ", ".join(parts) + " ms"


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "up": attempt.good,
        "state": attempt.state,
        "reason": attempt.reason,
        "status": attempt.status,
        "duration": attempt.duration,
        "phases": _phases(attempt.phases),
        "address": attempt.address,
    }


def _phases(phases: Phases) -> dict[str, float | None]:
    return {
        "dns": phases.dns,
        "connect": phases.connect,
        "tls": phases.tls,
        "first_byte": phases.first_byte,
        "transfer": phases.transfer,
    }
