"""A plug-in's strategy, guarded: what it does wrong makes a rule *unknown*, is told once a rule, stops nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any

from nightowl.core.condition import Condition, Truth, unknown
from nightowl.core.points import Points
from nightowl.core.rule import STEP, Rule
from nightowl.core.strategies.strategy import Span, Strategy, current_span

LONGEST_SENTENCE = 300
"""Characters of a plug-in's sentence that are kept."""

Tell = Callable[[str, str, Exception], None]
"""Is told of the first fault in each rule: the rule's name, what is wrong in a sentence, and the exception."""


class Guarded:
    """The strategy that ``load`` returns, by the protocol of one. ``name`` is what rules call it.

    It is loaded once, when it is first asked, also where that fails.
    """

    def __init__(self, name: str, load: Callable[[], Strategy], tell: Tell) -> None:
        self._name = name
        self._load = load
        self._tell = tell
        self._told: set[str] = set()
        self._loaded: Strategy | None = None
        self._sound: Rule | None = None

    def spans(self, rule: Rule, step: float) -> Sequence[Span]:
        """The windows that the plug-in asks for; where it cannot say, that of the current figure."""
        try:
            return _sound_spans(self._plugin().spans(rule, step))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            self._fault(rule, error)
            return (current_span(rule, step),)

    def judge(self, rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:
        """What the plug-in finds; unknown where it raises, or returns what is no finding."""
        try:
            if rule is not self._sound:  # windows that it did not ask for are nothing to judge
                _sound_spans(self._plugin().spans(rule, STEP))
                self._sound = rule
            return _sound(self._plugin().judge(rule, windows, firing=firing))
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything
            return unknown(self._fault(rule, error))

    def _plugin(self) -> Strategy:
        if self._loaded is None:
            try:
                self._loaded = self._load()
            except Exception as error:  # noqa: BLE001 - importing runs what a plug-in likes
                self._loaded = _Unloadable(error)
        return self._loaded

    def _fault(self, rule: Rule, error: Exception) -> str:
        sentence = _line(f"the strategy {self._name} failed: {type(error).__name__}: {error}")
        if rule.name not in self._told:
            self._told.add(rule.name)
            self._tell(rule.name, sentence, error)
        return sentence


class _Unloadable:
    """Stands for a plug-in that cannot be loaded, so that this is not tried for each series again."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def spans(self, rule: Rule, step: float) -> Sequence[Span]:  # noqa: ARG002 - the protocol's
        raise ImportError(f"{type(self._error).__name__}: {self._error}") from self._error

    def judge(self, rule: Rule, windows: Sequence[Points], *, firing: bool) -> Condition:  # noqa: ARG002 - likewise
        return unknown(str(self._error))


def _sound_spans(found: Iterable[Any]) -> Sequence[Span]:
    """The windows in seconds. Raises ``TypeError`` or ``ValueError`` where these are none to look at."""
    spans = [Span(float(older), float(newer)) for older, newer in found]
    if not spans:
        raise ValueError("spans() returned no window")
    for span in spans:
        if not 0 <= span.newer < span.older < math.inf:
            raise ValueError(f"spans() returned a window from {span.older:g} to {span.newer:g} seconds ago")
    return spans


def _sound(found: Any) -> Condition:
    """The finding in plain types. Raises ``TypeError`` or ``ValueError`` where it is none."""
    if not isinstance(found, Condition):
        raise TypeError(f"judge() returned {type(found).__name__}, not a Condition")
    if not isinstance(found.truth, Truth):
        raise TypeError(f"the truth of its Condition is {type(found.truth).__name__}, not a Truth")
    return Condition(
        truth=found.truth,
        value=_figure("value", found.value),
        bound=_figure("bound", found.bound),
        score=_figure("score", found.score),
        sentence=_line(str(found.sentence)),
    )


def _figure(name: str, found: Any) -> float | None:
    if found is None:
        return None
    if not isinstance(found, Real) or not math.isfinite(found):
        raise ValueError(f"the {name} of its Condition is {found!r}, not a finite number")
    return float(found)


def _line(text: str) -> str:
    """A text as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[: LONGEST_SENTENCE - 3]}..."
