"""Names of the Redis channels on which kombu publishes events.

Source: ``Channel._get_publish_topic`` and ``GlobalKeyPrefixMixin`` of kombu/transport/redis.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

EXCHANGE = "celeryev"
"""Celery's usual ``event_exchange``."""

USUAL_PREFIX = "/{db}."


def pattern(options: Mapping[str, Any], database: int, exchange: str = EXCHANGE) -> str:
    """Return the pattern of a cluster's event channels, as PSUBSCRIBE takes it.

    ``options`` are kombu's transport options: ``global_keyprefix`` stands before everything; ``fanout_prefix`` True
    means ``/{db}.``, a text another prefix, False none; without ``fanout_patterns`` all events have one channel.
    """
    asked = options.get("fanout_prefix", True)
    prefix = asked if isinstance(asked, str) else USUAL_PREFIX if asked else ""
    stem = f"{options.get('global_keyprefix') or ''}{prefix.format(db=database)}{exchange}"
    return re.sub(r"([*?\[\]\\])", r"\\\1", stem) + ("/*" if options.get("fanout_patterns", True) else "")


def database(path: object) -> int:
    """Return the number of the database that a URL's path or ``virtual_host`` means. Raises ``ValueError``."""
    text = str(path or "").strip("/")
    if text and not text.isdecimal():
        raise ValueError("a Redis database is a number")
    return int(text or 0)
