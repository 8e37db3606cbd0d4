"""What a notice says where a channel has a template of its own: its values, its proof, and what stands in for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from nightowl.core.errors import TemplateFailed
from nightowl.core.messages import compose
from nightowl.core.templates import Escape, Missing, compiled
from nightowl.core.values import Incident, Notice, Severity

_TEXT = 4000
"""Characters of a value that a template gets at most."""

_OTHERS = 100
"""Other incidents that a template gets at most."""

_JSON = ("application/json", "+json")
"""How the content types of JSON end."""

_BROKEN = 'shop "eu"\nis down'
"""A sentence that breaks JSON into which it is put as it is."""

_SAMPLE = Incident(
    id="5f2c",
    kind="check",
    subject="shop",
    severity=Severity.CRITICAL,
    summary=_BROKEN,
    opened=1_700_000_000.0,
    reason="connect.refused",
    tags={"team": 'shop "eu"'},
    runbook="https://wiki.example/shop",
)


_RULE = replace(
    _SAMPLE,
    kind="rule",
    subject='slow{check="shop",path="C:\\\\pay\\n"}',
    summary='slow{check="shop"} is above 2: it is 3\nC:\\pay',
    reason="threshold.above",
    tags={"check": 'shop "eu"', "path": "C:\\pay\n"},
)
"""An incident of a rule: its subject has the labels of a series, whatever characters they are of."""


_FOUND = replace(
    _SAMPLE,
    kind="cluster",
    subject="shop/failures/shop.charge/KeyError",
    summary="task shop.charge failed with KeyError: 'C:\\pay\n\"eu\"'",
    reason="failures",
    tags={"cluster": "shop", "task": "shop.charge", "finding": "failures"},
)
"""An incident of a watched cluster: its summary has whatever an exception said."""


def write(
    template: Mapping[str, str], notice: Notice, escape: Escape = str, *, is_json: bool = False
) -> tuple[dict[str, str], str]:
    """Return what each part of a template says, and what went wrong (empty: nothing).

    Parts that fail are missing, so that the built-in message stands in for them: a page is never lost to a template.
    ``is_json``: a part that is no JSON fails, too.
    """
    made, problems, values = {}, [], variables(notice)
    for part, text in template.items():
        try:
            said = compiled(text, escape).render(values)
            made[part] = _well_formed(said) if is_json else said
        except TemplateFailed as error:
            problems.append(f"the template of the {part} fails, so the built-in one was used: {error}")
    return made, "; ".join(problems)


def variables(notice: Notice) -> dict[str, Any]:
    """Return what templates know of a notice; ``docs/notices.md`` documents it."""
    incident, message = notice.incident, compose(notice)
    return {
        "incident": _incident(incident),
        "tags": _tags(incident),
        "step": notice.step,
        "channel": notice.channel,
        "created": notice.created,
        "lasted": max(0.0, (incident.resolved or notice.created) - incident.opened),
        "heading": _cut(message.heading),
        "sentence": _cut(message.sentence),
        "text": _cut(message.text),
        "url": _cut(notice.url),
        "runbook": _cut(incident.runbook),
        "others": [_incident(other) for other in notice.others[:_OTHERS]],
    }


def problem(text: str, *, is_json: bool = False) -> tuple[str, str]:
    """Return what keeps a template from saying something of every notice, as a kind of problem and its sentence.

    The kinds are ``syntax``, ``name``, ``value`` and ``json``; two empty texts: it works. It is tried with incidents of
    a check, of a rule with labels, of a cluster and of NightOwl's own at each of their steps, whose texts have quotes,
    backslashes and line ends in them.
    """
    try:
        template = compiled(text)
    except TemplateFailed as error:
        return "syntax", str(error)
    samples = list(_samples())
    known = variables(samples[0])
    if unknown := sorted(template.names - set(known)):
        return "name", f"{', '.join(known)}; there is no {', '.join(unknown)}"
    for sample in samples:
        try:
            made = template.render(variables(sample))
        except TemplateFailed as error:
            return "value", f"{error} (at the step {sample.step})"
        if is_json and not _is_json(made):
            where = f"JSON at every step, also at {sample.step} of a {sample.incident.kind}"
            return "json", f"{where}; put values in as {{{{ sentence | tojson }}}}"
    return "", ""


def _samples() -> Iterator[Notice]:
    """Yield notices as they may come: bare, and with everything that there can be."""
    over = replace(_SAMPLE, resolved=_SAMPLE.opened + 300, acknowledged=_SAMPLE.opened + 60, acknowledged_by="ann")
    bare = replace(_SAMPLE, kind="own", tags={}, runbook="", reason="")
    url = "https://owl.example/incidents/5f2c"
    full = Notice(incident=_SAMPLE, step="firing", channel="ops", created=_SAMPLE.opened + 240, text=_BROKEN, url=url)
    yield full
    yield replace(full, step="raised", others=(over, bare))
    yield replace(full, step="repeat-1", text="", url="")
    yield replace(full, step="resend-1", text="")
    yield replace(full, incident=over, step="resolved", others=(over, bare))
    yield replace(full, incident=bare, step="test")
    yield replace(full, incident=_RULE, others=(_RULE, over))
    yield replace(full, incident=replace(_RULE, kind="nodata", reason=""), text="")
    yield replace(full, incident=_FOUND, others=(_FOUND, over))
    yield replace(full, incident=replace(_RULE, resolved=_RULE.opened + 300), step="resolved", text="")


def says_json(content_type: str) -> bool:
    """Whether a Content-Type is one of JSON: ``application/json``, ``application/problem+json; charset=utf-8``."""
    return content_type.partition(";")[0].strip().lower().endswith(_JSON)


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "kind": incident.kind,
        "subject": _cut(incident.subject),
        "severity": str(incident.severity),
        "summary": _cut(incident.summary),
        "reason": incident.reason,
        "opened": incident.opened,
        "resolved": incident.resolved,
        "acknowledged": incident.acknowledged,
        "acknowledged_by": incident.acknowledged_by,
        "tags": _tags(incident),
        "runbook": _cut(incident.runbook),
        "link": _cut(incident.link),
    }


def _tags(incident: Incident) -> Missing:
    return Missing({name: _cut(value) for name, value in incident.tags.items()})


def _cut(text: str) -> str:
    return text[:_TEXT]


def _well_formed(text: str) -> str:
    """Return JSON as it is. Raises ``TemplateFailed`` where a text is none."""
    if not _is_json(text):
        raise TemplateFailed("it makes no JSON; put values in as {{ sentence | tojson }}")
    return text


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return False
    return True


def _no_number(text: str) -> None:
    """Refuse ``NaN`` and ``Infinity``, which Python's parser takes and JSON does not have."""
    raise ValueError(text)
