"""Depth of queues in SQS, by three attributes that are approximate. The extra ``sqs`` installs what this needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from nightowl.adapters.celery_cluster.control.broker import ANSWER_TIMEOUT, CONNECT_TIMEOUT
from nightowl.adapters.celery_cluster.control.broker import Broker as Place
from nightowl.core.cluster.state import Broker, Queue
from nightowl.core.errors import Unavailable

READY = "ApproximateNumberOfMessages"
HELD = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"

_DEFAULT_REGION = "us-east-1"


class SqsDepth:
    """See ``ports.clusters.ClusterDepth``. Region, prefix and predefined queues are those of kombu's options."""

    def __init__(self, place: Place) -> None:
        try:
            import boto3  # noqa: PLC0415  # an extra
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415
            from kombu.transport.SQS import CHARS_REPLACE_TABLE  # noqa: PLC0415
        except ImportError:
            raise Unavailable("SQS needs boto3: install nightowl[sqs]") from None
        self._place = place
        self._table: Mapping[int, Any] = CHARS_REPLACE_TABLE
        self._faults: tuple[type[Exception], ...] = (BotoCoreError, ClientError, ValueError)
        self._absent: type[Exception] = ClientError
        self._urls: dict[str, str] = {}
        parts = urlsplit(place.url)
        secure = place.options.get("is_secure", True)
        given = {"endpoint_url": f"{'https' if secure else 'http'}://{place.place}"} if parts.hostname else {}
        if parts.username and parts.password:
            given |= {
                "aws_access_key_id": unquote(parts.username),
                "aws_secret_access_key": unquote(parts.password),
            }
        limits = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=ANSWER_TIMEOUT, retries={"total_max_attempts": 2})
        region = str(place.options.get("region", _DEFAULT_REGION))
        self._client = boto3.client("sqs", region_name=region, config=limits, **given)

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty. Each costs a request."""
        try:
            return [self._queue(name) for name in names]
        except self._faults as error:
            raise self._place.unavailable(error) from None

    def broker(self) -> Broker:
        """There is nothing that SQS tells of itself."""
        return Broker(kind=self._place.kind, url=self._place.shown)

    def close(self) -> None:
        """Give connections back."""
        self._client.close()

    def _queue(self, name: str) -> Queue:
        url = self._url(name)
        if not url:
            return Queue(name=name, ready=0, unacked=0, scheduled=0)
        told = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[READY, HELD, DELAYED])["Attributes"]
        held, delayed = int(told.get(HELD, 0)), int(told.get(DELAYED, 0))
        return Queue(name=name, ready=int(told.get(READY, 0)), unacked=held + delayed, scheduled=delayed)

    def _url(self, name: str) -> str:
        """Return the queue's URL (empty: there is no such queue)."""
        predefined = self._place.options.get("predefined_queues") or {}
        if name in predefined:
            return str(predefined[name]["url"])
        if name not in self._urls:
            with suppress(self._client.exceptions.QueueDoesNotExist):
                self._urls[name] = self._client.get_queue_url(QueueName=self._entity(name))["QueueUrl"]
        return self._urls.get(name, "")

    def _entity(self, name: str) -> str:
        """The name as kombu writes it: SQS takes letters, digits, ``-`` and ``_`` only."""
        full = str(self._place.options.get("queue_name_prefix", "")) + name
        if full.endswith(".fifo"):
            return full.removesuffix(".fifo").translate(self._table) + ".fifo"
        return full.translate(self._table)
