"""Turns tables of watched clusters, and of hooks, into settings."""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.config import urls
from nightowl.config.checks import Bench, pem
from nightowl.config.conversion import pem_file
from nightowl.config.models.cluster import Backlog, Cluster, Finding, Findings, Lasting, Metrics, Ssl
from nightowl.config.models.hook import Hook
from nightowl.core.cluster.settings import (
    ClusterSettings,
    FailureSettings,
    FindingSettings,
    HookSettings,
    MetricsSettings,
    Tls,
)
from nightowl.core.values import Severity


def cluster(name: str, table: Cluster, bench: Bench) -> ClusterSettings:
    """Return the settings of a table, after reporting what is wrong with its URLs and files."""
    if problem := urls.cluster_problem(table.broker):
        bench.report.add(("cluster", name, "broker"), f"{problem} [NO08]")
    if table.ssl and (secure := urls.over_tls(table.broker)):
        bench.report.add(("cluster", name, "broker"), f"{secure}://..., for ssl is given [NO16]")
    if problem := urls.backend_problem(table.backend):
        bench.report.add(("cluster", name, "backend"), f"{problem} [NO63]")
    if problem := urls.app_problem(table.app):
        bench.report.add(("cluster", name, "app"), f"{problem} [NO64]")
    if problem := urls.store_problem(table.beat):
        bench.report.add(("cluster", name, "beat"), f"{problem} [NO09]")
    return ClusterSettings(
        name=name,
        broker=table.broker,
        backend=table.backend,
        app=table.app,
        queues=tuple(table.queues),
        default_queue=table.default_queue,
        rabbitmq_api=table.rabbitmq_api or "",
        transport_options=table.transport_options,
        tls=_tls(name, table.ssl, bench) if table.ssl else None,
        accept_content=tuple(table.accept_content),
        enable_events=table.enable_events,
        worker_timeout=table.worker_timeout,
        purge_offline_workers=table.purge_offline_workers,
        arguments=table.arguments,
        redact=tuple(table.redact),
        control=table.control,
        beat=urls.store_url(table.beat, bench.base),
        failures=FailureSettings(
            tasks=tuple(table.failures.tasks), after=table.failures.after, resolve=table.failures.resolve
        ),
        findings=dict(_tuned(table.findings)),
        depends_on=tuple(table.depends_on),
    )


def hook(name: str, table: Hook, bench: Bench) -> HookSettings:
    """Return the settings of a hook, after reporting what is wrong with its certificates."""
    return HookSettings(
        name=name,
        url=table.url,
        on=tuple(table.on),
        clusters=tuple(table.cluster),
        tasks=tuple(table.task),
        secret=table.secret or "",
        verify=table.verify,
        ca=pem(table.ca, ("hook", name, "ca"), bench),
        timeout=table.timeout,
    )


def metrics(table: Metrics) -> MetricsSettings:
    """Return how metrics are written."""
    return MetricsSettings(
        prefix=table.prefix,
        labels=table.labels,
        runtime_buckets=tuple(table.runtime_buckets),
        queue_wait_buckets=tuple(table.queue_wait_buckets),
        generic_hostnames=table.generic_hostnames,
        auth=table.auth or "",
    )


def _tuned(table: Findings) -> Iterator[tuple[str, FindingSettings]]:
    """Yield the detectors that are not left as they are, by name."""
    for name in Findings.model_fields:
        tuned: Finding = getattr(table, name)
        made = FindingSettings(
            on=tuned.on,
            severity=Severity(tuned.severity) if tuned.severity else None,
            skip=tuple(tuned.skip),
            after=tuned.after if isinstance(tuned, Lasting) else None,
            floor=tuned.floor if isinstance(tuned, Backlog) else None,
        )
        if made != FindingSettings():
            yield name, made


def _tls(name: str, table: Ssl, bench: Bench) -> Tls:
    path = ("cluster", name, "ssl")
    if table.key and not table.certificate:
        bench.report.add((*path, "certificate"), "the certificate of key [NO11]")
    return Tls(
        ca=pem_file(table.ca, (*path, "ca"), bench),
        certificate=pem_file(table.certificate, (*path, "certificate"), bench),
        key=pem_file(table.key, (*path, "key"), bench),
        verify=table.verify,
    )
