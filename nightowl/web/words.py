"""Numbers and moments as people read them; units always. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from markupsafe import Markup

_STEPS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def iso(moment: float) -> str:
    """Unix seconds as ISO 8601 in UTC, to the millisecond where it has one: ``2026-11-20T18:55:07Z``."""
    when = datetime.fromtimestamp(round(moment, 3), UTC)
    timespec = "milliseconds" if when.microsecond else "seconds"
    return when.isoformat(timespec=timespec).replace("+00:00", "Z")


def instant(text: str) -> float:
    """Read ISO 8601 (without an offset: UTC) or Unix seconds; ValueError where it is neither."""
    try:
        return float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def span(seconds: float) -> str:
    """How long, in its largest unit; two below a day of hours: ``45 s``, ``4 min``, ``3 h 20 min``, ``12 d``."""
    whole = max(0, int(seconds))
    if 3600 <= whole < 36000 and whole % 3600 >= 60:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    for size, unit in _STEPS:
        if whole >= size:
            return f"{int(whole // size)} {unit}"
    return "0 s"


def ago(moment: float, now: float) -> str:
    """How far ``moment`` lies from ``now``: ``4 min ago``, ``in 2 h``, ``just now``."""
    distance = now - moment
    if abs(distance) < 1:
        return "just now"
    return f"{span(distance)} ago" if distance > 0 else f"in {span(-distance)}"


def took(seconds: float | None) -> str:
    """A measured duration in three digits: ``0.8 ms``, ``124 ms``, ``2.31 s``; a dash where there is none."""
    if seconds is None:
        return "–"  # noqa: RUF001  # an en dash is what a table shows for nothing
    if 0.00005 <= seconds < 0.001:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def share(part: float, whole: float) -> str:
    """A percentage that never rounds up to 100 or down to 0: ``99.98 %``."""
    if whole <= 0:
        return "–"  # noqa: RUF001  # see took
    percent = part / whole * 100
    if 99.99 < percent < 100:
        return "99.99 %"
    if 0 < percent < 0.01:
        return "0.01 %"
    return f"{percent:.2f} %".replace(".00 %", " %")


def sentence(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def parted(name: str) -> Markup:
    """A name in HTML that may be cut behind its slashes, so that a narrow line does not cut its words."""
    return Markup("/<wbr>").join(name.split("/"))


def plural(count: int, word: str) -> str:
    """``1 check``, ``2 checks``, ``1,204 checks``."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """``never``, ``once``, ``3 times``."""
    return ("never", "once")[count] if count < 2 else f"{count:,} times"


def listed(names: Sequence[str]) -> str:
    """``london``, ``london and office``, ``a, b and 3 more``."""
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def clock(moment: float) -> str:
    """Time of day, UTC: ``18:55:07``."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")


def exact_clock(moment: float) -> str:
    """Time of day to the millisecond, UTC: ``18:55:07.042``."""
    return datetime.fromtimestamp(round(moment, 3), UTC).strftime("%H:%M:%S.%f")[:-3]


def day_and_clock(moment: float, now: float) -> str:
    """Time of day, UTC, after its date where that is not today's: ``2026-11-19 18:55:07``."""
    date = day(int(moment // 86400))
    return clock(moment) if date == day(int(now // 86400)) else f"{date} {clock(moment)}"


def who(name: str) -> str:
    """Somebody by name; ``this machine`` for whoever sat at it and needed no sign-in."""
    return "this machine" if name == "local" else name


def by_whom(name: str) -> str:
    """``by anna``, ``from this machine``."""
    return f"{'from' if name == 'local' else 'by'} {who(name)}"


def day(number: int) -> str:
    """The date of a day counted since the Unix epoch: ``2026-11-20``."""
    return datetime.fromtimestamp(number * 86400, UTC).date().isoformat()
