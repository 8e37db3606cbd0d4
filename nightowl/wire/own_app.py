"""The Celery app that NightOwl was started with."""

from __future__ import annotations

from typing import Any

from nightowl.adapters.celery_cluster.own_app import OwnApp

__all__ = ["OwnApp", "own_app"]


def own_app(app: Any) -> OwnApp:
    """Return an app that was imported, as NightOwl uses it."""
    return OwnApp(app)
