"""The strategies that rules can name here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint

from nightowl import plugins
from nightowl.core.strategies import Strategy
from nightowl.core.strategies.guarded import Guarded

log = logging.getLogger(__name__)


@cache
def strategies() -> Mapping[str, Strategy]:
    """Return every installed strategy by name: the built-in ones as they are, a plug-in's guarded."""
    return plugins.strategies(_guarded)


def _guarded(entry: EntryPoint) -> Strategy:
    return Guarded(entry.name, entry.load, _tell)


def _tell(rule: str, sentence: str, error: Exception) -> None:
    log.error("the rule %s is unknown, and this is said once: %s", rule, sentence, exc_info=error)
