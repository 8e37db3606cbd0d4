"""The tables of django-celery-beat, read and never written (https://django-celery-beat.readthedocs.io).

Moments without a time zone are UTC, as Django stores them with ``USE_TZ``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, DateTime, Engine, NullPool, column, create_engine, make_url, select, table
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.timetable import Clocked, Crontab, Interval, Other, Schedule
from nightowl.core.errors import Unavailable

MOST_ENTRIES = 5000
"""Entries that are read."""

_PATIENCE = 10  # seconds that a database may take to answer
_PERIODS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "microseconds": 1e-6}

_TASK = table(
    "django_celery_beat_periodictask",
    *map(column, ("id", "name", "task", "args", "kwargs", "queue", "enabled")),
    *map(column, ("interval_id", "crontab_id", "solar_id", "clocked_id")),
    *(column(name, DateTime()) for name in ("last_run_at", "start_time", "expires")),
)
_INTERVAL = table("django_celery_beat_intervalschedule", *map(column, ("id", "every", "period")))
_CRONTAB = table(
    "django_celery_beat_crontabschedule",
    *map(column, ("id", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")),
)
_SOLAR = table("django_celery_beat_solarschedule", *map(column, ("id", "event", "latitude", "longitude")))
_CLOCKED = table("django_celery_beat_clockedschedule", column("id"), column("clocked_time", DateTime()))

_QUERY = (
    select(
        *(_TASK.c[name] for name in ("name", "task", "args", "kwargs", "queue", "enabled")),
        *(_TASK.c[name] for name in ("last_run_at", "start_time", "expires")),
        *(_INTERVAL.c[name] for name in ("every", "period")),
        *(_CRONTAB.c[name] for name in ("minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")),
        *(_SOLAR.c[name] for name in ("event", "latitude", "longitude")),
        _CLOCKED.c.clocked_time,
    )
    .select_from(
        _TASK.outerjoin(_INTERVAL, _INTERVAL.c.id == _TASK.c.interval_id)
        .outerjoin(_CRONTAB, _CRONTAB.c.id == _TASK.c.crontab_id)
        .outerjoin(_SOLAR, _SOLAR.c.id == _TASK.c.solar_id)
        .outerjoin(_CLOCKED, _CLOCKED.c.id == _TASK.c.clocked_id)
    )
    .order_by(_TASK.c.name)
    .limit(MOST_ENTRIES)
)


def open_tables(url: str) -> Callable[[], list[Entry]]:
    """Return what reads the entries of the database at ``url``; it raises ``Unavailable``."""

    def read() -> list[Entry]:
        try:
            parsed = make_url(url)
            with _engine(parsed).connect() as connection:
                return [_entry(row) for row in connection.execute(_QUERY)]
        except (SQLAlchemyError, ArgumentError, ValueError, TypeError, ImportError) as error:
            raise Unavailable(f"The tables of django-celery-beat cannot be read: {_told(error)}") from None

    return read


def _engine(url: URL) -> Engine:
    """An engine that keeps no connection, and can write nothing."""
    kind = url.get_backend_name()
    if kind == "sqlite":
        path = f"file:{quote(url.database or '')}?mode=ro"  # which makes no file where there is none
        return create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(path, uri=True, timeout=_PATIENCE), poolclass=NullPool
        )
    if kind == "postgresql":
        settings = f"-c statement_timeout={_PATIENCE * 1000} -c default_transaction_read_only=on"
        given = {"connect_timeout": _PATIENCE, "options": settings}
    else:
        given = {
            "connect_timeout": _PATIENCE,
            "read_timeout": _PATIENCE,
            "init_command": "SET SESSION TRANSACTION READ ONLY",
        }
    return create_engine(url, connect_args=given, poolclass=NullPool)


def _told(error: Exception) -> str:
    """What went wrong, in the database's own words and without the statement."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__


def _entry(row: Any) -> Entry:
    return Entry(
        name=row.name,
        task=row.task,
        schedule=_schedule(row),
        origin="django-celery-beat",
        args="" if row.args in (None, "[]") else row.args,
        kwargs="" if row.kwargs in (None, "{}") else row.kwargs,
        queue=row.queue or "",
        enabled=bool(row.enabled),
        last=_moment(row.last_run_at),
        begin=_moment(row.start_time),
        end=_moment(row.expires),
    )


def _schedule(row: Any) -> Schedule:
    if row.minute is not None:
        return Crontab(
            minute=row.minute,
            hour=row.hour,
            day_of_month=row.day_of_month,
            month_of_year=row.month_of_year,
            day_of_week=row.day_of_week,
            timezone=row.timezone or "UTC",
        )
    if row.every is not None and row.period in _PERIODS:
        return Interval(every=row.every * _PERIODS[row.period])
    if row.event is not None:
        return Other(text=f"{row.event} at {float(row.latitude):g}, {float(row.longitude):g}")
    clocked = _moment(row.clocked_time)
    return Other(text="no schedule") if clocked is None else Clocked(at=clocked)


def _moment(found: datetime | None) -> float | None:
    if found is None:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
