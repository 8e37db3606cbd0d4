"""The beat entries of a watched cluster: of its app, and of django-celery-beat's tables.

The file of Celery's own scheduler (``celerybeat-schedule``) is pickle, and is never read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from nightowl.adapters.celery_cluster.beat.app_schedule import read_app
from nightowl.adapters.celery_cluster.beat.django_tables import open_tables
from nightowl.adapters.celery_cluster.beat.polling import Entries, Source
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.ports import Clock

__all__ = ["Entries", "entries"]

APP_EVERY = 600.0
"""Seconds between two imports of the app: what it says changes with a deployment."""

TABLES_EVERY = 60.0
"""Seconds between two looks into the tables."""


def entries(
    settings: ClusterSettings,
    clock: Clock,
    seen: Callable[[str], float | None],
    *,
    own: Callable[[], list[Entry]] | None = None,
    folder: Path | None = None,
) -> Entries:
    """Follow the beat entries of a cluster; close what is returned.

    ``seen`` gives the moment (Unix seconds) at which a task of this name was sent or ran last, as far as events told.
    The app is imported from ``folder`` (None: the current one), unless it is this process's ``own``.
    """
    sources = []
    if own is not None:
        sources.append(Source(read=own, every=APP_EVERY))
    elif settings.app:
        sources.append(Source(read=partial(read_app, settings.app, folder or Path.cwd()), every=APP_EVERY))
    if settings.beat:
        sources.append(Source(read=open_tables(settings.beat), every=TABLES_EVERY))
    return Entries(sources, settings, clock, seen)
