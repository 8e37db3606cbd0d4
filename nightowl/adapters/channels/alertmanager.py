"""Notices as alerts to Alertmanagers, for teams that route, group and silence there.

An alert lives as long as it is told again: each send says that it ends some resends from now, and the notice of the
end says that it has ended. So a notice that is lost with its Alertmanager, or a NightOwl that is gone, leaves no alert
behind. Alertmanager knows an alert by its labels alone: https://prometheus.io/docs/alerting/latest/alerts_api/ and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from nightowl.adapters.channels.http import Request, accepted, post
from nightowl.core.errors import DeliveryFailed
from nightowl.core.messages import compose, cut
from nightowl.core.redaction import secrets_of_address
from nightowl.core.values import Incident, Notice, Severity

log = logging.getLogger(__name__)

PATH = "/api/v2/alerts"

LIFE = 4
"""Resends that an alert outlives, as Prometheus has it."""

_VALUE = 1000
_TEXT = 4000
"""Characters of a label's value and of an annotation at most."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(kw_only=True, frozen=True, repr=False)
class Alertmanager:
    """Posts alerts to every one of ``url``, which are the members of one cluster, or stand alone.

    ``resend`` is the seconds after which an open incident is told again. ``ca`` is PEM text, ``timeout`` seconds in
    all.
    """

    url: Sequence[str]
    resend: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0

    def send(self, notice: Notice) -> str:
        """Deliver to all, or raise ``DeliveryFailed`` where none took it.

        Returns who did not take it, if any: the next resend tells them again.
        """
        now = time.time()
        body = msgspec.json.encode(alerts(notice, now, self.resend))
        failures: list[DeliveryFailed] = []
        for number, url in enumerate(self.url):
            try:
                accepted(post(self._request(url, body)), now)
            except DeliveryFailed as failure:
                failures.append(_of(failure, f"url[{number}]: {failure}" if len(self.url) > 1 else str(failure)))
        said = "; ".join(map(str, failures))
        if len(failures) == len(self.url):
            raise _together(failures, said)
        if said:
            log.warning("notice %s: %s; the other Alertmanagers got it", notice.key, said)
        return said

    def _request(self, url: str, body: bytes) -> Request:
        return Request(
            url=f"{url.rstrip('/')}{PATH}",
            body=body,
            headers={**self.headers, "Content-Type": "application/json"},
            verify=self.verify,
            ca=self.ca,
            timeout=self.timeout / len(self.url),
            secrets=(*self.headers.values(), *secrets_of_address(url)),
        )


def alerts(notice: Notice, now: float, resend: float) -> list[dict[str, Any]]:
    """Return the alert of a notice's incident; ``now`` and ``resend`` are seconds.

    One whose severity rose has other labels than before, so the alert that it was is ended along with it.
    """
    made = [_alert(notice, now + (resend if notice.step == "test" else LIFE * resend))]
    if notice.step == "raised":
        for severity in (one for one in Severity if one.rank < notice.incident.severity.rank):
            before = replace(notice, incident=replace(notice.incident, severity=severity, resolved=notice.created))
            made.append(_alert(before, now))
    return made


def labels(incident: Incident) -> dict[str, str]:
    """Return by which labels Alertmanager knows an incident: its tags, and what no tag can replace.

    Names get ``_`` for each letter that Alertmanager's may not have.
    """
    tags = {label_name(name): cut(value, _VALUE) for name, value in sorted(incident.tags.items()) if value}
    return tags | {
        "alertname": _name(incident),
        "severity": incident.severity,
        "kind": incident.kind,
        "nightowl": cut(incident.subject, _VALUE),
    }


def label_name(name: str) -> str:
    """Return the name of a tag as the name of a label: ``[a-zA-Z_][a-zA-Z0-9_]*``."""
    valid = _NOT_IN_NAMES.sub("_", name)
    return f"_{valid}" if valid[:1].isdigit() else valid


def _alert(notice: Notice, until: float) -> dict[str, Any]:
    incident, message = notice.incident, compose(notice)
    texts = {"summary": message.heading, "description": message.sentence, "runbook_url": incident.runbook}
    ends = until if incident.resolved is None else max(incident.resolved, incident.opened)
    link = {"generatorURL": message.url} if message.url.startswith(("http://", "https://")) else {}
    return {
        "labels": labels(incident),
        "annotations": {name: cut(text, _TEXT) for name, text in texts.items() if text},
        "startsAt": _moment(incident.opened),
        "endsAt": _moment(ends),
        **link,
    }


def _name(incident: Incident) -> str:
    """Return what goes by one name in Alertmanager: a check, a rule with all of its series, a cluster's detector."""
    if incident.kind == "own":
        return "NightOwl"
    if incident.kind == "cluster":
        return "/".join(incident.subject.split("/")[:2])
    return incident.subject.partition("{")[0] if incident.kind in ("rule", "nodata") else incident.subject


def _moment(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="milliseconds")


def _of(failure: DeliveryFailed, said: str) -> DeliveryFailed:
    return DeliveryFailed(said, permanent=failure.permanent, retry_after=failure.retry_after)


def _together(failures: Iterable[DeliveryFailed], said: str) -> DeliveryFailed:
    """Return the failure of all: to be tried again where one of them is, as late as any asked for."""
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    permanent = all(failure.permanent for failure in failures)
    return DeliveryFailed(said, permanent=permanent, retry_after=max(waits, default=None))
