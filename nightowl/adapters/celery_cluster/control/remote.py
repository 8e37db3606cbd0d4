"""A cluster's remote control: see ``ports.clusters.ClusterControl``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nightowl.adapters.celery_cluster.control.broker import Broker, Tls
from nightowl.adapters.celery_cluster.control.lines import Lines, if_there
from nightowl.adapters.celery_cluster.control.pidbox import Pidbox
from nightowl.adapters.celery_cluster.control.sending import Sender
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.errors import Refused, Unavailable


class RemoteControl:
    """The workers of one broker, and its queues. Any thread may use it."""

    def __init__(self, broker: Broker, *, default_queue: str, namespace: str) -> None:
        self._broker = broker
        self._lines = Lines(broker)
        try:
            self._fanout = broker.connection().supports_exchange_type("fanout")
        except (KeyError, ImportError):
            raise Unavailable(
                f"{broker.kind} as the broker cannot be used: Celery has no transport for it here"
            ) from None
        self._pidbox = Pidbox(self._lines, namespace)
        self._sender = Sender(self._lines, default_queue, events=self._fanout)

    @property
    def reaches_workers(self) -> bool:
        """Whether this kind of broker has remote control at all."""
        return bool(self._fanout)

    def ask(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command; wait up to ``timeout`` seconds (0: not at all) for answers. See the port."""
        if not self._fanout:
            raise Refused(
                f"{self._broker.kind} as the broker has no remote control: it cannot tell all workers something."
            )
        if timeout <= 0:
            self._pidbox.tell(command)
            return []
        return self._pidbox.ask(command, timeout, command.workers or expected)

    def send(self, task: str, *, args: Sequence[object], kwargs: dict[str, object], options: dict[str, object]) -> str:
        """Put a task into its queue by name; return its id. See the port."""
        return self._sender.send(task, args, kwargs, options)

    def purge(self, queue: str) -> int:
        """Delete what waits in a queue; return how many messages that were (one that does not exist: none)."""
        with self._lines.channel(lambda channel: if_there(channel, lambda own: own.queue_purge(queue))) as count:
            return int(count or 0)

    def close(self) -> None:
        """Give connections back."""
        self._lines.close()


def control(
    broker_url: str,
    *,
    transport_options: Mapping[str, Any] | None = None,
    ssl: Tls = None,
    default_queue: str = "celery",
    namespace: str = "celery",
) -> RemoteControl:
    """Return the remote control of the cluster at a broker's URL.

    ``namespace`` is its ``control_exchange``. Nothing is connected to yet. Raises ``Unavailable`` for a broker of
    a kind that Celery does not know, or of which the driver is not installed.
    """
    return RemoteControl(Broker(broker_url, transport_options, ssl), default_queue=default_queue, namespace=namespace)
