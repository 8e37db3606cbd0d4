"""The Celery app that NightOwl was started with by ``celery -A APP nightowl``.

It says what its cluster is, and sends tasks by its own routes and serializer.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kombu.exceptions import KombuError

from nightowl.adapters.celery_cluster.beat.app_dump import entries_of
from nightowl.core.cluster.beat import Entry
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.settings import ClusterSettings, Tls
from nightowl.core.errors import ConfigurationError, Mistake, Unavailable
from nightowl.ports.clusters import ClusterControl

CONTENTS = ("json", "yaml", "msgpack")
"""Serializers whose events are read."""

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
_RETRY = {"max_retries": 1, "interval_start": 0.0, "interval_step": 0.1}


class OwnApp:
    """An app, imported. Any thread may use it."""

    def __init__(self, app: Any) -> None:
        self._app = app
        app.loader.import_default_modules()

    def settings(self) -> ClusterSettings:
        """How its cluster is watched, as far as the app says."""
        conf = self._app.conf
        queues = conf.task_queues or ()
        return ClusterSettings(
            name=_name(self._app.main),
            broker=_url(conf.broker_read_url or conf.broker_url or "amqp://guest@localhost//"),
            app=str(self._app.main or "the app"),
            backend=conf.result_backend if isinstance(conf.result_backend, str) else "",
            queues=tuple(sorted({str(getattr(queue, "name", queue)) for queue in queues} - {""})),
            default_queue=conf.task_default_queue or "celery",
            transport_options=dict(conf.broker_transport_options or {}),
            tls=_tls(conf.broker_use_ssl),
            accept_content=tuple(kind for kind in conf.accept_content or () if kind in CONTENTS) or ("json",),
        )

    def remarks(self) -> list[str]:
        """What of its settings is not followed, a sentence each."""
        conf = self._app.conf
        unread = sorted(set(map(str, conf.accept_content or ())) - set(CONTENTS))
        told = [f"accept_content has {', '.join(unread)}: what comes so serialized is not read"] if unread else []
        moved = [name for name, usual in _NAMES.items() if conf.get(name) not in (None, usual)]
        return told + [f"{name} is not followed: it is taken to be {_NAMES[name]!r}" for name in moved]

    def schedule(self) -> list[Entry]:
        """The entries of its beat schedule. Raises ``Unavailable``."""
        try:
            return entries_of(self._app)
        except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
            raise Unavailable(f"The app's beat schedule cannot be read: {type(error).__name__}: {error}") from None

    def tasks(self) -> Collection[str]:
        """Names of the tasks that it has imported."""
        return frozenset(self._app.tasks)

    def send(self, task: str, args: Sequence[Any], kwargs: Mapping[str, Any], options: Mapping[str, Any]) -> str:
        """Send a task and return its id; one that the app has not imported goes by its name alone.

        Raises ``ConfigurationError`` for arguments that the task does not take, ``Unavailable``.
        """
        known = None if self._app.conf.task_always_eager else self._app.tasks.get(task)
        given = {"retry_policy": _RETRY, **options}
        try:
            if known is not None:
                return str(known.apply_async(args=list(args), kwargs=dict(kwargs), **given).id)
            return str(self._app.send_task(task, args=list(args), kwargs=dict(kwargs), **given).id)
        except (KombuError, OSError, *self._faults()) as error:
            raise Unavailable(f"the task was not sent: {type(error).__name__}") from None
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            mistake = Mistake(file="", key=task, found="what was given", allowed=_first_line(error))
            raise ConfigurationError([mistake]) from None

    def _faults(self) -> tuple[type[BaseException], ...]:
        """What the driver raises when something is wrong with the broker."""
        connection = self._app.connection_for_write()
        return (*connection.connection_errors, *connection.channel_errors)


class OwnControl:
    """The control of an app's cluster: tasks are sent by the app, all else as with any cluster."""

    def __init__(self, app: OwnApp, control: ClusterControl) -> None:
        self._app = app
        self._control = control

    def ask(self, command: Command, timeout: float, expected: Collection[str] = ()) -> list[Answer]:
        """Send a command; return the answers. See the port."""
        return self._control.ask(command, timeout, expected)

    def send(self, task: str, *, args: Sequence[object], kwargs: dict[str, object], options: dict[str, object]) -> str:
        """Put a task into its queue; return its id. See the port."""
        return self._app.send(task, args, kwargs, options)

    def purge(self, queue: str) -> int:
        """Delete what waits in a queue. See the port."""
        return self._control.purge(queue)


_NAMES = {"control_exchange": "celery", "event_exchange": "celeryev"}


def _name(main: str | None) -> str:
    """A cluster's name from the app's."""
    fit = _UNFIT.sub("-", main or "").strip("-.")[:100]
    return "celery" if fit in ("", "__main__") else fit


def _url(given: str | Sequence[str]) -> str:
    return given if isinstance(given, str) else ";".join(given)


def _tls(given: Any) -> Tls | None:
    """``broker_use_ssl`` as our own value: kombu's Redis has its keys with ``ssl_``, amqp without."""
    if not isinstance(given, Mapping):
        return Tls() if given else None
    plain = {str(key).removeprefix("ssl_"): value for key, value in given.items()}
    wanted = plain.get("cert_reqs", ssl.CERT_REQUIRED)
    return Tls(
        ca=str(plain.get("ca_certs") or ""),
        certificate=str(plain.get("certfile") or ""),
        key=str(plain.get("keyfile") or ""),
        verify=wanted != ssl.CERT_NONE and str(wanted).lower().removeprefix("cert_") != "none",
    )


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
