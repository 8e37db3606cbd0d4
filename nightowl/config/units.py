"""Durations, sizes and status ranges as people write them."""

from __future__ import annotations

import re

YEAR = 365 * 86400.0
"""Seconds of a year, as durations mean it: 365 days."""

LONGEST = 100 * YEAR
"""Seconds of the longest duration that is taken."""

_UNITS = {"y": YEAR, "w": 7 * 86400.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
DURATION_PATTERN = r"^" + "".join(f"(?:{_NUMBER}{unit})?" for unit in _UNITS) + r"$"
"""What a duration looks like: numbers with units, the largest unit first."""

_DURATION = re.compile(DURATION_PATTERN, re.ASCII)
_PART = re.compile(rf"({_NUMBER})(ms|[ywdhms])", re.ASCII)

_SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZE_PATTERN = rf"^{_NUMBER} ?(?:{'|'.join(_SIZES)})$"
"""What a size looks like: a number and a unit."""

_SIZE = re.compile(rf"({_NUMBER}) ?({'|'.join(_SIZES)})", re.ASCII)
_STATUS = re.compile(r"([1-9][0-9]{2})(?:-([1-9][0-9]{2}))?|([1-9])xx", re.ASCII)


def parse_duration(text: str) -> float:
    """Return the seconds, to the millisecond, of a text such as ``1h30m``, ``500ms`` or ``2y``.

    Raises:
        ValueError: it is not a duration, or longer than 100 years.
    """
    if not text or not _DURATION.fullmatch(text):
        raise ValueError(text)
    seconds = round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)), 3)
    if seconds > LONGEST:
        raise ValueError(text)
    return seconds


def format_duration(seconds: float) -> str:
    """Return the shortest usual text of a duration; ``parse_duration`` gives the same seconds, to the millisecond."""
    left = round(seconds * 1000)
    year = round(YEAR * 1000)
    if left and left % year == 0:
        return f"{left // year}y"
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, left = divmod(left, round(_UNITS[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_size(text: str) -> int:
    """Return the bytes of a text such as ``2GiB`` or ``500MB``.

    Raises:
        ValueError: it is not a size.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(text)
    return round(float(found[1]) * _SIZES[found[2]])


def format_size(size: int) -> str:
    """Return bytes with the largest unit that divides them evenly."""
    units = sorted(_SIZES.items(), key=lambda item: -item[1])
    unit, factor = next((unit, factor) for unit, factor in units if size % factor == 0 and (size or factor == 1))
    return f"{size // factor}{unit}"


def parse_status(found: str | int) -> tuple[int, int]:
    """Return the inclusive range of HTTP status codes meant by ``204``, ``"200-299"`` or ``"2xx"``.

    Raises:
        ValueError: it is neither, or the range runs backwards.
    """
    match = None if isinstance(found, bool) else _STATUS.fullmatch(str(found))
    if not match:
        raise ValueError(found)
    if match[3]:
        first, last = int(match[3]) * 100, int(match[3]) * 100 + 99
    else:
        first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise ValueError(found)
    return first, last


def format_status(found: tuple[int, int]) -> str:
    """Return a range of status codes as ``parse_status`` reads it."""
    first, last = found
    return str(first) if first == last else f"{first}-{last}"
