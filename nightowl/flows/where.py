"""Where would this go? An incident that is not there, and what would become of it by what stands in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from nightowl.core.preview import Preview, Question, preview
from nightowl.core.rule import Rule
from nightowl.core.telling import Kin, Telling, family, of_rule, settling
from nightowl.core.values import Incident, Severity
from nightowl.flows.tell import around_now
from nightowl.ports import Store, StoredCheck

Durations = Callable[[str], float]
"""Returns the seconds of a text such as ``1m``."""


def where(store: Store, telling: Telling, rules: Iterable[Rule], seconds: Durations, question: Question) -> Preview:
    """Say where an incident would go; ``telling`` is by the configuration alone."""
    incident = Incident(
        id="",
        kind=question.kind,
        subject=question.name,
        severity=question.severity,
        summary="",
        opened=question.at,
        tags=question.tags,
    )
    with store.read() as unit:
        known = [*map(of_rule, rules), *_kin(unit.checks.all(), seconds)]
        whole = replace(telling, parents=family(known, telling.clusters))
        return preview(incident, around_now(unit, whole, question.at, [incident]), whole, question.at)


def _kin(checks: Iterable[StoredCheck], seconds: Durations) -> Iterator[Kin]:
    """The relatives of checks, by their definitions as they are written."""
    for check in checks:
        every = 0.0 if check.spec.get("kind") in ("heartbeat", "task") else seconds(str(check.spec.get("every", "1m")))
        severity = Severity(check.spec.get("severity", "critical"))
        yield Kin("check", check.name, check.spec.get("depends_on", ()), severity, settling(every))
