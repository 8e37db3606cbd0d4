"""What hooks need of the outside."""

from __future__ import annotations

from nightowl.adapters.channels.hook import deliver

__all__ = ["deliver"]
