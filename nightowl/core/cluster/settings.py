"""How a cluster is watched, as it is configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from nightowl.core.values import Severity

REDACTED = ("*password*", "*token*", "*secret*")
"""Names of arguments whose values are hidden unless told otherwise."""

RUNTIME_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds of run times, in seconds: those of celery-exporter."""

QUEUE_WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Upper bounds of waits in queues, in seconds: those of celery-exporter."""


class FailureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which failures open incidents: of these tasks (shell patterns), after so many, until none for ``resolve`` s."""

    tasks: tuple[str, ...] = ("*",)
    after: int = 1
    resolve: float = 1800.0


class FindingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a detector is tuned. None: as it is by itself.

    ``skip`` are shell patterns of what it does not judge: names of tasks, queues, workers or beat entries. ``after`` is
    seconds, ``floor`` messages; what they are of, the detector says.
    """

    on: bool = True
    severity: Severity | None = None
    skip: tuple[str, ...] = ()
    after: float | None = None
    floor: int | None = None


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """How a broker is spoken to over TLS: paths of PEM files (empty: the system's, or none).

    ``verify``: the broker's certificate must be valid, trusted and, where ``named``, for its host.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True
    named: bool = True


class ClusterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster as it is configured. Durations are seconds; ``purge_offline_workers`` 0: never.

    ``findings`` has the detectors that are tuned, by name. While a check or rule of ``depends_on`` is down, what is
    found of the cluster opens without a word. ``secrets`` are values that may appear in nothing that is said of it.
    """

    name: str
    broker: str
    backend: str = ""
    app: str = ""
    queues: tuple[str, ...] = ()
    default_queue: str = "celery"
    rabbitmq_api: str = ""
    transport_options: dict[str, Any] = {}
    tls: Tls | None = None
    accept_content: tuple[str, ...] = ("json",)
    enable_events: bool = True
    worker_timeout: float = 300.0
    purge_offline_workers: float = 600.0
    arguments: Literal["redacted", "full", "none"] = "redacted"
    redact: tuple[str, ...] = REDACTED
    control: bool = True
    beat: str = ""
    failures: FailureSettings = FailureSettings()
    findings: Mapping[str, FindingSettings] = {}
    depends_on: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


HOOKED = ("task-succeeded", "task-failed", "task-retried", "task-revoked", "task-rejected")
"""Events of tasks that hooks can be told of."""


class HookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A hook: which events (of ``HOOKED``) of which clusters and tasks (shell patterns) are posted to ``url``.

    ``secret`` signs (empty: nothing is signed), ``ca`` is PEM text (empty: the system's), ``timeout`` seconds in all.
    """

    name: str
    url: str
    on: tuple[str, ...] = ("task-failed",)
    clusters: tuple[str, ...] = ("*",)
    tasks: tuple[str, ...] = ("*",)
    secret: str = ""
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the metrics of clusters are written. ``auth``: ``user:password`` that scrapers must give (empty: none)."""

    prefix: str = "celery_"
    labels: dict[str, str] = {}
    runtime_buckets: tuple[float, ...] = RUNTIME_BUCKETS
    queue_wait_buckets: tuple[float, ...] = QUEUE_WAIT_BUCKETS
    generic_hostnames: bool = False
    auth: str = ""


class FlowerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How Flower's paths are answered.

    ``basic_auth`` are pairs ``name:password`` that may do everything there; ``unauthenticated_api``: so may anybody,
    where there are no such pairs. ``patience`` is for how many seconds answers of workers are waited for.
    """

    basic_auth: tuple[str, ...] = ()
    unauthenticated_api: bool = False
    patience: float = 1.0

    @property
    def is_open(self) -> bool:
        """Whether Flower's API is open to everybody."""
        return self.unauthenticated_api and not self.basic_auth
