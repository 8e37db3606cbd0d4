"""Turns check tables into checks: template, kind, files, and what cannot work."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from nightowl.config import kinds
from nightowl.config.fields import split_url
from nightowl.config.kinds import Part
from nightowl.config.masking import KeyPath
from nightowl.config.models import BUILT_IN_KINDS, CHANNEL_KINDS
from nightowl.config.models import check as models
from nightowl.config.models.table import Table
from nightowl.config.numbered import check_problems, one_of
from nightowl.config.references import read_text
from nightowl.config.refusals import validate
from nightowl.config.report import Report
from nightowl.config.rules import STRATEGIES
from nightowl.core.values import Check, Expect, Heartbeat, Policy, Severity, Target, Warn

HEARTBEAT = "heartbeat"
"""The kind of a check that a job calls."""

TASK = "task"
"""The kind of a check that follows a task of a watched cluster."""

Spec = dict[str, Any]

_TABLES: dict[Part, type[Table]] = {"keys": models.Check, "expect": models.Expect, "warn": models.Warn}


class Bench(msgspec.Struct, kw_only=True):
    """What checks, rules and channels are made with: where mistakes go, and the surroundings.

    ``sources`` and ``sinks`` are the kinds of these that there are, ``clusters`` the watched clusters. ``policies`` are
    those of the locations by which addresses are judged; a location without one is not asked. ``paths`` says whether
    keys may name files, relative to ``base``; those read are appended to ``files``.
    """

    report: Report
    base: Path
    locations: Collection[str]
    policies: Mapping[str, Policy] = {}
    kinds: Collection[str] = BUILT_IN_KINDS
    strategies: Collection[str] = STRATEGIES
    channels: Collection[str] = CHANNEL_KINDS
    sinks: Collection[str] = ()
    sources: Collection[str] = ()
    clusters: Collection[str] = ()
    paths: bool = True
    files: list[Path] = []


def apply_template(template: Spec, check: Spec) -> Spec:
    """Return the check's keys over those of its template, sub-table by sub-table."""
    merged = dict(template)
    for key, value in check.items():
        below = merged.get(key)
        merged[key] = apply_template(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def spec_of(check: Any, check_as_written: Spec, templates_as_written: Mapping[str, Any]) -> Spec:
    """Return the keys of a check with its template's, references kept; ``check`` is the resolved table."""
    whole = apply_template(template_of(check, templates_as_written)[1], check_as_written)
    return {key: value for key, value in whole.items() if key != "use"}


def template_of(check: Any, templates: Mapping[str, Any]) -> tuple[str, Spec]:
    """Return the name and the keys of the template that a check uses; both empty where none or nothing usable."""
    name = check.get("use") if isinstance(check, dict) else None
    template = templates.get(name) if isinstance(name, str) else None
    return (str(name), template) if isinstance(template, dict) else ("", {})


def make_check(name: str, spec: Any, bench: Bench, templates: Mapping[str, Any]) -> Check | None:
    """Return the check of a resolved table, after reporting what is wrong with it (None: too much)."""
    template = template_of(spec, templates)
    maker = _Maker(name, spec, bench, template)
    whole = apply_template(template[1], spec) if isinstance(spec, dict) else spec
    model = validate(models.Check, whole, maker.path, bench.report, maker.written)
    used = spec.get("use") if isinstance(spec, dict) else None
    if isinstance(used, str) and used not in templates:
        bench.report.add((*maker.path, "use"), f"{one_of('a declared template', templates)} [NO05]")
        return None
    return maker.make(model) if model else None


class _Maker:
    """Makes one check."""

    def __init__(self, name: str, spec: Any, bench: Bench, template: tuple[str, Spec]) -> None:
        self.name = name
        self.path: KeyPath = ("check", name)
        self._spec = spec
        self._bench = bench
        self._template = template

    def written(self, path: KeyPath) -> KeyPath:
        """Return where the user wrote what stands at ``path``: in the check, or in its template."""
        name, keys = self._template
        inner = path[len(self.path) :]
        return ("template", name, *inner) if name and not _has(self._spec, inner) and _has(keys, inner) else path

    def make(self, model: models.Check) -> Check:
        """Return the check, after reporting what cannot work; with such a mistake it is not for use."""
        kind = self._kind(model)
        self._refuse_foreign(model, kind)
        check = self._check(model, self._target(model, kind))
        for problem in check_problems(check, self._bench.locations, self._bench.policies, self._bench.clusters):
            if not any(self._mistaken((key,)) for key in problem.about):
                self._refuse(problem.key, f"{problem.allowed} [{problem.number}]", problem.found)
        return check

    def _mistaken(self, key: KeyPath) -> bool:
        return self._bench.report.touches(self.written((*self.path, *key)))

    def _refuse(self, key: KeyPath, allowed: str, found: str | None = None) -> None:
        self._bench.report.add(self.written((*self.path, *key)), allowed, found)

    def _kind(self, model: models.Check) -> str:
        """Return the kind, or nothing after reporting why there is none."""
        if self._mistaken(("kind",)) or self._mistaken(("url",)):
            return ""
        known = self._bench.kinds
        scheme = parts.scheme if (parts := split_url(model.url or "")) else ""
        kind = model.kind or scheme
        if kind in (HEARTBEAT, TASK) and model.kind and kind in known:
            self._require(model, kind)
            return kind
        if kind in known and not model.url:
            self._refuse(("url",), "what to test; the key is required")
        elif kind not in known:
            key = "kind" if model.kind else "url"
            what = "a kind" if model.kind else "a URL that begins with a kind"
            possible = known if model.kind else kinds.follows_from(known)
            self._refuse((key,), one_of(what, possible))
        elif kind in BUILT_IN_KINDS and scheme not in kinds.schemes_of(kind):
            self._refuse_scheme(kind, scheme)
        else:
            return kind
        return ""

    def _require(self, model: models.Check, kind: str) -> None:
        """Report that the check of a task does not say which."""
        if kind == TASK and not model.cluster:
            self._refuse(("cluster",), "the watched cluster that the task runs in; the key is required")
        if kind == TASK and not model.task:
            self._refuse(("task",), "the task's name, or a shell pattern; the key is required")

    def _refuse_scheme(self, kind: str, scheme: str) -> None:
        known = kinds.schemes_of(kind)
        if known != (kind,):
            self._refuse(("url",), f"a URL that begins with one of {', '.join(f'{each}://' for each in known)}")
        else:
            self._refuse(("kind",), f'"{scheme}", or nothing: the kind follows from the scheme of url')

    def _refuse_foreign(self, model: models.Check, kind: str) -> None:
        """Report keys that mean nothing to the kind, and a URL that has not the kind's form."""
        parts: tuple[tuple[KeyPath, Part, Table], ...] = (
            ((), "keys", model),
            (("expect",), "expect", model.expect),
            (("warn",), "warn", model.warn),
        )
        for path, part, table in parts:
            for key in sorted(kinds.foreign(kind, part) & table.model_fields_set):
                self._refuse((*path, _alias(type(table), key)), f"no such key; {_whose(kind, part)}")
        if problem := kinds.url_problem(kind, model.url or ""):
            self._refuse(("url",), problem)

    def _target(self, model: models.Check, kind: str) -> Target:
        expect, auth = model.expect, model.auth or models.Auth.model_construct()
        return Target(
            kind=kind,
            url=model.url or "",
            timeout=model.timeout,
            family=model.family,
            verify=model.verify,
            ca=self._pem("ca", model.ca),
            client_certificate=self._pem("client_certificate", model.client_certificate),
            client_key=self._pem("client_key", model.client_key),
            method=model.method,
            headers=model.headers,
            body=model.body,
            basic=auth.basic or "",
            bearer=auth.bearer or "",
            redirects=model.redirects,
            http_version=model.http_version or "",
            user_agent=model.user_agent or "",
            send=model.send,
            record=model.record,
            resolver=model.resolver or "",
            starttls=model.starttls,
            queue=model.queue,
            expect=Expect(
                status=expect.status,
                body=expect.body,
                not_body=expect.not_body,
                regex=expect.regex,
                json=expect.json_values,
                header=expect.header,
                banner=expect.banner,
                tls=expect.tls or "",
                answers=tuple(expect.answers),
            ),
            warn=Warn(duration=model.warn.duration, certificate=model.warn.certificate),
        )

    def _check(self, model: models.Check, target: Target) -> Check:
        beats = target.kind in (HEARTBEAT, TASK)
        locations = self._bench.locations if model.locations is None else model.locations
        return Check(
            name=self.name,
            target=target,
            locations=() if beats else tuple(locations),
            every=model.every,
            attempts=model.attempts,
            attempts_when=model.attempts_when,
            attempt_gap=model.attempt_gap,
            quorum=model.quorum,
            down_after=1 if beats and "down_after" not in model.model_fields_set else model.down_after,
            up_after=model.up_after,
            severity=Severity(model.severity),
            tags=model.tags,
            runbook=model.runbook or "",
            paused=model.paused,
            heartbeat=_heartbeat(model) if beats else None,
            depends_on=tuple(model.depends_on),
        )

    def _pem(self, key: str, value: str | None) -> str:
        return pem(value, self.written((*self.path, key)), self._bench)


def _heartbeat(model: models.Check) -> Heartbeat:
    return Heartbeat(
        every=model.every if "every" in model.model_fields_set else 0.0,
        cron=model.cron or "",
        timezone=model.timezone,
        grace=model.grace,
        cluster=model.cluster or "",
        task=model.task or "",
        max_runtime=model.max_runtime,
    )


def own_keys(check: Check, shown: Spec) -> Spec:
    """Return the keys of a whole table that mean something to the check's kind, with the values in force."""
    kept = _without(shown, models.Check, kinds.foreign(check.target.kind, "keys"))
    if check.heartbeat is None:
        kept["expect"] = _without(kept["expect"], models.Expect, kinds.foreign(check.target.kind, "expect"))
        kept["warn"] = _without(kept["warn"], models.Warn, kinds.foreign(check.target.kind, "warn"))
    if check.heartbeat is None:
        return kept
    unused = ("every",) if check.heartbeat.cron else ("timezone",)
    return {key: value for key, value in kept.items() if key not in unused} | {"down_after": check.down_after}


def pem(value: str | None, path: KeyPath, bench: Bench) -> str:
    """Return the PEM text that ``value`` is or names; empty after reporting that it is neither."""
    text = value or ""
    if text and "-----BEGIN " not in text:
        if not bench.paths:
            bench.report.add(path, "the PEM text itself; files are for configuration files")
            return ""
        try:
            text = read_text(bench.base, text, bench.files)
        except ValueError as error:
            bench.report.add(path, str(error))
            return ""
        if "-----BEGIN " not in text:
            bench.report.add(path, "a file of PEM text")
            return ""
    return text


def _without(shown: Spec, table: type[Table], foreign: Collection[str]) -> Spec:
    hidden = {_alias(table, key) for key in foreign}
    return {key: value for key, value in shown.items() if key not in hidden}


def _alias(table: type[Table], key: str) -> str:
    return table.model_fields[key].alias or key


def _whose(kind: str, part: Part) -> str:
    """In words, what a kind has in place of a key that means nothing to it."""
    table: type[Table] = _TABLES[part]
    own = ", ".join(sorted(_alias(table, key) for key in getattr(kinds.BUILT_IN[kind], part)))
    return f"it means nothing to a check of kind {kind}" + (f", whose own are {own}" if own else "")


def _has(spec: Any, path: KeyPath) -> bool:
    """Whether something stands at ``path``."""
    value = spec
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True
