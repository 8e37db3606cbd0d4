"""An evaluator, and the sources that it reads."""

from __future__ import annotations

from collections.abc import Callable

from nightowl import plugins
from nightowl.adapters.celery_bus.evaluator import Evaluator
from nightowl.config import Configuration
from nightowl.flows.judge import Judge
from nightowl.ports import Source
from nightowl.wire.bus import broker, keyring
from nightowl.wire.clock import CLOCK
from nightowl.wire.remembered import remembered
from nightowl.wire.strategies import strategies

__all__ = ["evaluator", "sources"]


def sources(configuration: Configuration) -> dict[str, Source]:
    """Make every source of a configuration."""
    return {name: plugins.sources()[each.kind](each) for name, each in configuration.sources.items()}


def evaluator(current: Callable[[], Configuration], *, name: str) -> Evaluator:
    """Return an evaluator that follows the configuration in force."""
    judge = Judge(lambda: current().rules, remembered(current, sources), strategies())
    return Evaluator(broker(current()), CLOCK, keyring(current, evaluators=True), judge.judge, name=name)
