"""The clock of every role."""

from __future__ import annotations

from nightowl.adapters.clock import SystemClock

CLOCK = SystemClock()
