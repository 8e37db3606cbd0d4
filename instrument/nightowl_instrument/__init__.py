"""Celery workers that tell StatsD or NightOwl what they do; locks and checkpoints for periodic tasks."""

from nightowl_instrument.installing import install
from nightowl_instrument.periodic import Checkpoint, checkpoint, once

__version__ = "0.1.0"
__all__ = ["Checkpoint", "checkpoint", "install", "once"]
