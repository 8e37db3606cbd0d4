"""Sends samples to Amazon CloudWatch. The extra ``cloudwatch`` installs what this needs."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Sequence
from time import time
from typing import Any

import msgspec

from nightowl.core.errors import DeliveryFailed
from nightowl.core.sinks.cloudwatch import Datum, batches, gauges, statuses, timers
from nightowl.core.sinks.deltas import Deltas
from nightowl.core.sinks.selection import is_counter, keeping, relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.sinks.timers import spreads
from nightowl.core.values import Sample
from nightowl.ports import Dropped

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 10.0
"""Seconds."""

_NEEDED = {
    "NoRegionError": "set region, or AWS_REGION in the environment",
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the machine a role",
    "EndpointConnectionError": "the host does not accept the connection",
}

_AGAIN = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalServiceError"})


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of this kind alone."""

    namespace: str = "NightOwl"
    region: str = ""
    dimensions: list[str] = []
    thresholds: dict[str, float] = {}


class CloudWatch:
    """See ``ports.Sink``. Counters are sent by how much they rose, histograms as statistic sets."""

    def __init__(self, settings: SinkSettings) -> None:
        """Raises ``DeliveryFailed`` where boto3 is not installed, or finds neither region nor credentials."""
        try:
            import boto3  # noqa: PLC0415  # an extra
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
        except ImportError:
            raise DeliveryFailed("CloudWatch needs boto3: install nightowl[cloudwatch]") from None
        self._options = msgspec.convert(settings.options, Options)
        self._labels = settings.labels
        self._prefix = settings.prefix
        self._deltas = Deltas()
        self._sending: _Sending | None = None
        self._said = ""
        self._refused: type[Exception] = ClientError
        self._failed: type[Exception] = BotoCoreError
        limits = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1})
        # boto3 itself does not know AWS_REGION, which Amazon's containers have
        region = self._options.region or os.environ.get("AWS_REGION", "")
        given = {"region_name": region} if region else {}
        given |= {"endpoint_url": settings.url} if settings.url else {}
        # it tells at each start where it found them
        logging.getLogger("botocore.credentials").setLevel(logging.WARNING)
        try:
            self._client = boto3.Session().client("cloudwatch", config=limits, **given)
        except (BotoCoreError, ValueError) as error:
            raise DeliveryFailed(f"CloudWatch cannot be used: {_said(error)}") from None

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Send gauges, rises and statistic sets at their time; what is refused for good is dropped."""
        if self._sending is None or self._sending.at != at:
            data = self._data(samples, at)
            fit = [datum for datum in data if datum is not None]
            self._sending = _Sending(at, deque(batches(fit)), len(data) - len(fit))
        sending = self._sending
        while sending.batches:
            sending.refused += self._put(sending.batches[0])
            sending.sent += len(sending.batches.popleft())
        self._sending = None
        if sending.refused and sending.refused == sending.sent:
            raise DeliveryFailed(f"CloudWatch refuses all: {self._said}", permanent=True)
        self._deltas.taken(samples)
        dropped = {"unfit": sending.unfit, "refused": sending.refused}
        return {reason: count for reason, count in dropped.items() if count}

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _data(self, samples: Sequence[Sample], at: float) -> list[Datum | None]:
        now, kept, labels = time(), self._options.dimensions, self._labels
        measured = [sample for sample in samples if not is_counter(sample.metric)]
        found, counters = spreads(keeping(relabelled(self._deltas.of(samples), labels), [*kept, "le"]))
        single = keeping(relabelled(measured, labels), kept)
        single += keeping(relabelled(statuses(measured, self._options.thresholds), labels), kept)
        single += [rise for rise in counters if rise.value > 0]
        return [*gauges(single, now, self._prefix), *timers(found, at, now, self._prefix)]

    def _put(self, batch: list[Datum]) -> int:
        """Send a batch; return how many data were refused for good. Raises ``DeliveryFailed``: to be sent again."""
        try:
            self._client.put_metric_data(Namespace=self._options.namespace, MetricData=batch)
        except self._refused as error:
            answer: dict[str, Any] = getattr(error, "response", {})
            self._said = str(answer.get("Error", {}).get("Code", "unknown"))
            status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            if status >= 500 or status == 429 or self._said in _AGAIN:
                raise DeliveryFailed(f"CloudWatch answered {self._said}") from None
            return len(batch)
        except self._failed as error:
            raise DeliveryFailed(f"CloudWatch cannot be reached: {_said(error)}") from None
        return 0


def _said(error: Exception) -> str:
    """Say what went wrong, and what to set where something is missing; nothing of what was found."""
    name = type(error).__name__
    return f"{name}: {_NEEDED[name]}" if name in _NEEDED else name


class _Sending(msgspec.Struct):
    """The snapshot that is being sent: what was sent of it is not sent again, as counts would be added twice."""

    at: float
    batches: deque[list[Datum]]
    unfit: int
    sent: int = 0
    refused: int = 0
