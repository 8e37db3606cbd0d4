"""Judge: what an evaluator does with a batch. It asks each source once for all rules on it, and remembers nothing."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from nightowl.core.portion_results import result
from nightowl.core.portions import Portion, PortionBatch, PortionResult
from nightowl.core.reading import Got, Need, need
from nightowl.core.rule import Rule
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.ports import Source

log = logging.getLogger(__name__)

DEFECT = "a defect of NightOwl or of a plug-in, which the evaluator's log has"

UNKNOWN_RULE = "the evaluator's configuration has no such rule on a source"


class Judge:
    """Judges batches by the rules and sources in force, which the functions give."""

    def __init__(
        self,
        rules: Callable[[], Mapping[str, Rule]],
        sources: Callable[[], Mapping[str, Source]],
        strategies: Mapping[str, Strategy] = BUILT_IN,
    ) -> None:
        """``strategies`` are the installed ones by name."""
        self._rules = rules
        self._sources = sources
        self._strategies = strategies
        self._away: dict[str, tuple[float, str]] = {}

    def judge(self, batch: PortionBatch, seconds: float) -> list[PortionResult]:
        """Return the result of each portion, within about so many seconds."""
        rules, sources = self._rules(), self._sources()
        by_rule: defaultdict[str, list[Portion]] = defaultdict(list)
        for portion in batch.portions:
            by_rule[portion.rule].append(portion)
        known = {name: rules[name] for name in by_rule if name in rules and rules[name].source == batch.source}
        if batch.source not in sources:
            known = {}
        got = self._read(sources[batch.source], known, by_rule, batch, seconds) if known else {}
        return list(self._results(batch, known, got))

    def _read(
        self,
        source: Source,
        rules: Mapping[str, Rule],
        by_rule: Mapping[str, Sequence[Portion]],
        batch: PortionBatch,
        seconds: float,
    ) -> dict[str, Mapping[str, Got]]:
        """Read what the rules need, by rule and identifier.

        A source from which nothing came at this instant is not asked again by other batches of it.
        """
        needs = [
            need(rule, self._strategies[rule.strategy], [each.identifier for each in by_rule[name]], batch.at)
            for name, rule in rules.items()
        ]
        at, fault = self._away.get(batch.source, (0.0, ""))
        if at == batch.at:
            answers: Sequence[Mapping[str, Got]] = [dict.fromkeys(each.identifiers, Got(fault=fault)) for each in needs]
        else:
            answers = _answers(source, needs, seconds)
            said = [got for answer in answers for got in answer.values()]
            if all(got.away for got in said):
                self._away[batch.source] = (batch.at, said[0].fault)
        return dict(zip(rules, answers, strict=True))

    def _results(
        self, batch: PortionBatch, rules: Mapping[str, Rule], got: Mapping[str, Mapping[str, Got]]
    ) -> Iterator[PortionResult]:
        for portion in batch.portions:
            rule = rules.get(portion.rule)
            if rule is None:
                yield PortionResult(portion.rule, portion.identifier, UNKNOWN_RULE)
            else:
                yield self._result(rule, portion, got[rule.name], batch.at)

    def _result(self, rule: Rule, portion: Portion, got: Mapping[str, Got], at: float) -> PortionResult:
        try:
            return result(rule, self._strategies[rule.strategy], portion, got[portion.identifier], at)
        except Exception:
            log.exception("rule %s could not be judged", rule.name)
            return PortionResult(rule.name, portion.identifier, DEFECT)


def _answers(source: Source, needs: Sequence[Need], seconds: float) -> Sequence[Mapping[str, Got]]:
    """Read a source; a defect of a plug-in is told as what it is, and harms no other rule."""
    try:
        answers = source.read(needs, seconds)
        return [{each: answer[each] for each in need.identifiers} for need, answer in zip(needs, answers, strict=True)]
    except Exception:
        log.exception("a source could not be read")
        return [dict.fromkeys(need.identifiers, Got(fault=DEFECT)) for need in needs]
