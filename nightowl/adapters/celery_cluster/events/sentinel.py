"""Ask Redis Sentinels where the master is (https://redis.io/docs/latest/develop/reference/sentinel-clients/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import msgspec

from nightowl.adapters.celery_cluster.events.redis_protocol import Refused, Session
from nightowl.adapters.celery_cluster.place import Place
from nightowl.adapters.celery_cluster.tls import Told, tls

PORT = 26_379


class NoMaster(Exception):
    """No Sentinel knows a master of this name; the message says so."""


def master(sentinels: Sequence[Place], name: str, options: Mapping[str, Any]) -> Place:
    """Return where the master ``name`` is now, with the user and database of the first Sentinel's URL.

    ``options`` are kombu's ``sentinel_kwargs``: username and password for the Sentinels, and ssl. Raises what the last
    of them did.
    """
    error: Exception = NoMaster("the transport option master_name is missing")
    for sentinel in sentinels if name else ():
        try:
            host, port = _ask(sentinel, name, options)
        except (OSError, Refused, NoMaster, ValueError, TypeError) as refusal:
            error = refusal
            continue
        return msgspec.structs.replace(sentinels[0], scheme="redis", host=host, port=port)
    raise error


def _ask(sentinel: Place, name: str, options: Mapping[str, Any]) -> tuple[str, int]:
    told: Told = {key: value for key, value in options.items() if key.startswith("ssl_")} or options.get("ssl")
    place = msgspec.structs.replace(sentinel, port=sentinel.port or PORT)
    with closing(Session(place, tls(told, always=bool(options.get("ssl"))))) as session:
        session.log_in(str(options.get("username") or ""), str(options.get("password") or ""))
        found = session.ask("SENTINEL", "get-master-addr-by-name", name)
    if not found:
        raise NoMaster(f"the Sentinel at {place.shown} knows no master that is called {name}")
    return found[0].decode(), int(found[1])
