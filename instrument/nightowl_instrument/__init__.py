"""Celery workers that tell StatsD or NightOwl what they do; locks and checkpoints for periodic tasks."""

from nightowl_instrument.installing import install

__version__ = "0.1.0"
__all__ = ["install"]
