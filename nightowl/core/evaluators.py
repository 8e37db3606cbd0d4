"""The evaluators that the leader hears, and the sources as their results show them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from nightowl.core.portions import PortionReport

SILENCE = 3.0
"""Seconds without a word after which an evaluator's batches count as lost."""

GONE = 60.0
"""Seconds without a word from any evaluator after which that is a fault."""

FAILED = 3
"""Instants in a row at which a source failed, after which that is a fault."""

MOST = 512
"""Evaluators that are listed; further ones are heard, but what they hold is not known."""

NAMED = 5
"""Rules that a sentence names at most."""


class Evaluators:
    """Who is there. ``now``, as all moments, is director time; it is when the term begins."""

    def __init__(self, now: float) -> None:
        self._heard: dict[str, tuple[float, frozenset[str]]] = {}
        self._last = now

    def hear(self, report: PortionReport, now: float) -> None:
        """Take in what an evaluator says of itself."""
        self._heard.pop(report.evaluator, None)
        if report.leaving:
            return
        self._last = now
        if len(self._heard) < MOST:
            self._heard[report.evaluator] = (now, frozenset(report.holding))

    def deaf(self, now: float) -> None:
        """Note that nobody could be heard until ``now``."""
        self._last = now

    def alive(self, now: float) -> bool:
        """Whether any of them is heard."""
        self._heard = {name: said for name, said in self._heard.items() if 0 <= now - said[0] <= SILENCE}
        return bool(self._heard)

    def held(self, now: float) -> set[str]:
        """The batches that living ones have."""
        return {batch for heard, held in self._heard.values() if 0 <= now - heard <= SILENCE for batch in held}

    def gone(self, now: float) -> float | None:
        """Since when nobody is heard, where that is too long."""
        self._last = min(self._last, now)
        return self._last if now - self._last > GONE else None


class Failure(msgspec.Struct, frozen=True):
    """A source or a rule that failed at so many instants in a row: since when, and what was said last."""

    since: float
    instants: int
    why: str = ""

    @property
    def told(self) -> bool:
        """Whether it is a fault to be told."""
        return self.instants >= FAILED


class _Said(msgspec.Struct):
    """What was heard of a source at an instant: of the rules, and whether it answered any, and did not answer."""

    rules: dict[str, str] = {}
    answered: bool = False
    away: bool = False


class SourceHealth:
    """Which sources fail, instant after instant, and which rules fail by themselves.

    A source fails when nothing comes from it, or nothing that any rule can use; else what is refused is the fault of
    the rule that asked. What nothing was heard of is as it was before.
    """

    def __init__(self) -> None:
        self.failures: dict[str, Failure] = {}
        self.rules: dict[str, Failure] = {}
        self._said: dict[str, _Said] = {}

    def recall(self, source: str, since: float) -> None:
        """Take over that a source was failing."""
        self.failures[source] = Failure(since, FAILED)

    def recall_rule(self, rule: str, since: float) -> None:
        """Take over that a rule was failing."""
        self.rules[rule] = Failure(since, FAILED)

    def note(self, source: str, rule: str, fault: str, *, away: bool = False) -> None:
        """Note a result of the present instant (``fault`` empty: a good one; ``away``: nothing came)."""
        said = self._said.setdefault(source, _Said())
        said.answered |= not fault
        said.away |= away
        said.rules[rule] = said.rules.get(rule) or fault

    def close(self, at: float) -> None:
        """The instant ``at`` is over."""
        for source, said in self._said.items():
            faults = {rule: fault for rule, fault in said.rules.items() if fault}
            if faults and (said.away or not said.answered):
                self.failures[source] = _again(self.failures.get(source), at, _sentence(faults))
                continue
            self.failures.pop(source, None)
            for rule in said.rules:
                if rule in faults:
                    self.rules[rule] = _again(self.rules.get(rule), at, faults[rule])
                else:
                    self.rules.pop(rule, None)
        self._said.clear()

    def keep(self, sources: Collection[str], rules: Collection[str]) -> None:
        """Forget all others than these."""
        self.failures = {name: failure for name, failure in self.failures.items() if name in sources}
        self.rules = {name: failure for name, failure in self.rules.items() if name in rules}


def _again(before: Failure | None, at: float, why: str) -> Failure:
    return Failure(at, 1, why) if before is None else Failure(before.since, before.instants + 1, why)


def _sentence(faults: dict[str, str]) -> str:
    names = sorted(faults)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{faults[names[0]]} (rules: {', '.join(names[:NAMED])}{more})"
