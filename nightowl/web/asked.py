"""The incident that somebody asks about: what is not said of it is as of the check or rule that has its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nightowl.core.preview import Question
from nightowl.core.series import parse
from nightowl.core.values import Severity
from nightowl.ports import Unit
from nightowl.web import rules_in_force
from nightowl.web.handlers import Handlers

Kind = Literal["check", "rule", "nodata", "cluster", "own"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a name says of an incident by itself; ``source`` is what has it (``none``: nothing)."""

    source: Literal["check", "rule", "none"] = "none"
    severity: Severity = Severity.CRITICAL
    tags: Mapping[str, str] = {}


def known(handlers: Handlers, unit: Unit, name: str) -> Known:
    """Return what has a name: a check, or a rule, which may stand with the labels of a series."""
    check = unit.checks.get(name)
    if check is not None:
        return _defined("check", check.spec, Severity.CRITICAL)
    rule = rules_in_force.in_force(handlers, unit).get(name.partition("{")[0])
    if rule is None:
        return Known()
    labels = _labels(name)
    if rule.rule is None:
        found = _defined("rule", rule.spec, Severity.WARNING)
        return msgspec.structs.replace(found, tags={**labels, **found.tags})
    return Known(source="rule", severity=rule.rule.severity, tags={**labels, **rule.rule.tags})


def question(
    found: Known, name: str, at: float, *, kind: Kind | None, severity: Severity | None, tags: Mapping[str, str]
) -> Question:
    """Return what is asked; a kind or severity of None, and no tags, are as ``found`` has them."""
    meant: Kind = kind or ("rule" if found.source == "rule" else "check")
    by_itself = Severity.WARNING if meant == "nodata" and found.source == "rule" else found.severity
    return Question(name=name, kind=meant, severity=severity or by_itself, tags=dict(tags or found.tags), at=at)


def _defined(source: Literal["check", "rule"], spec: Mapping[str, Any], usual: Severity) -> Known:
    severity = str(spec.get("severity", usual))
    tags = {str(name): str(value) for name, value in dict(spec.get("tags", {})).items()}
    return Known(source=source, severity=Severity(severity) if severity in list(Severity) else usual, tags=tags)


def _labels(name: str) -> dict[str, str]:
    try:
        return dict(parse(name).labels)
    except ValueError:  # a part of a name, or one that was cut
        return {}
