"""Which incidents are meant: what routes, silences and maintenance windows ask for."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from nightowl.core.values import Incident, Severity

AT_LEAST = ">="
"""Before a severity in a match: that one or a greater one."""

_RANKS = {str(severity): severity.rank for severity in Severity}


def matches(match: Mapping[str, str], incident: Incident) -> bool:
    """Whether everything that is asked for holds.

    ``severity``, ``name`` (the subject), ``kind`` and the names of tags map to shell patterns, case being heeded;
    a severity may also be written ``>=warning``. A tag that the incident does not carry matches nothing.
    """
    return all(_holds(key, wanted, incident) for key, wanted in match.items())


def severity_matches(wanted: str, severity: Severity) -> bool:
    """Whether a severity is ``>=`` the one wanted, or like the pattern that is wanted."""
    if wanted.startswith(AT_LEAST):
        least = _RANKS.get(wanted.removeprefix(AT_LEAST).strip())
        return least is not None and severity.rank >= least
    return fnmatchcase(severity, wanted)


def _holds(key: str, wanted: str, incident: Incident) -> bool:
    if key == "severity":
        return severity_matches(wanted, incident.severity)
    facts = {**incident.tags, "name": incident.subject, "kind": incident.kind}
    return key in facts and fnmatchcase(facts[key], wanted)
