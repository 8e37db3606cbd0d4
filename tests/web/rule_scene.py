"""Rules, and where they stand: one in each state."""

from __future__ import annotations

from nightowl.core.limits import Limit, relative_limit
from nightowl.core.rule import Baseline, Rule
from nightowl.core.rule_incident import Standing, subject_of
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.series import Series, labels
from nightowl.core.values import Change, Incident, Sample, Severity
from nightowl.ports import Store, Unit

_ABOVE = (Limit("above", 1000.0),)

RULES = {
    rule.name: rule
    for rule in (
        Rule(name="at-rest", metric="check_up", limits=(Limit("below", 1.0),)),
        Rule(name="backlog", metric="queue_length", where={"queue": "mail*"}, limits=_ABOVE, recover=500.0, for_=300.0),
        Rule(name="burning", metric="burn", limits=_ABOVE, severity=Severity.CRITICAL),
        Rule(name="easing", metric="ease", limits=_ABOVE, keep_firing=600.0),
        Rule(name="gone", metric="gone", limits=_ABOVE, nodata="nodata", severity=Severity.CRITICAL),
        Rule(name="rising", metric="rise", limits=_ABOVE, for_=300.0, severity=Severity.CRITICAL),
        Rule(
            name="silent",
            metric="silent",
            strategy="floating",
            baseline=Baseline(over=1800.0),
            limits=(relative_limit("above", "+20%"),),
        ),
    )
}


def fill(store: Store, now: float) -> None:
    """Put where they stand into a store, as of ``now``, with the incidents."""
    with store.transaction() as unit:
        stand(unit, "backlog", RuleState(Phase.FIRING), opened=now - 1200, queue="mail-out")
        stand(unit, "backlog", RuleState(Phase.PENDING, since=now - 60), queue="mail-in")
        stand(unit, "burning", RuleState(Phase.FIRING, unknown_since=now - 120), opened=now - 7200)
        stand(unit, "easing", RuleState(Phase.RECOVERING, until=now + 240), opened=now - 1800)
        stand(unit, "gone", RuleState(Phase.NODATA, unknown_since=now - 900), silent=now - 600)
        stand(unit, "rising", RuleState(Phase.PENDING, since=now - 60), x="<b>")
        stand(unit, "silent", RuleState(unknown_since=now - 180))


def depths(store: Store, now: float) -> None:
    """Put an hour of samples into a store: one queue overflows twice, another never, a third is of another kind."""
    high = {"mail-in": 200.0, "mail-out": 20.0, "video": 900.0}
    with store.transaction() as unit:
        for queue, most in high.items():
            values = ((ago, most if 600 <= ago % 1800 < 900 else 10.0) for ago in range(0, 3600, 10))
            unit.series.append(
                queue, now, [Sample("depth", (("queue", queue),), now - ago, value) for ago, value in values]
            )


def stand(unit: Unit, rule: str, state: RuleState, *, opened: float = 0.0, silent: float = 0.0, **tags: str) -> None:
    """Put a rule's standing for a series, with the incidents that are open from those moments on (0: none is)."""
    judged = RULES[rule]
    series = Series(judged.metric, labels(tags.items()))
    standing = Standing(
        rule=rule,
        series=str(series),
        state=state,
        incident=f"{rule}-is-open" if opened else "",
        silence=f"{rule}-is-silent" if silent else "",
    )
    unit.rules.put([standing])
    for ident, at in zip((standing.incident, standing.silence), (opened, silent), strict=True):
        if ident:
            subject = subject_of(rule, series)
            found = Incident(
                id=ident,
                kind="rule" if opened else "nodata",
                subject=subject,
                severity=judged.severity,
                summary=f"{subject} is firing: 1200 > 1000",
                opened=at,
            )
            unit.incidents.apply([Change(event="opened", incident=found, at=at, text=found.summary)])
