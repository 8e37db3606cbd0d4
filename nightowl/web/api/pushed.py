"""``/api/v1/clusters/{cluster}/events``: where workers push their events that no broker carries."""

from __future__ import annotations

import re
import zlib
from typing import Annotated

from fastapi import Path, Request
from msgspec import to_builtins
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from nightowl.core.cluster.pushed import Told
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Model
from nightowl.web.handlers import Handlers

LARGEST = 1024 * 1024
"""Bytes of a list of events at most, when it is not compressed."""

DROPPED = "x-nightowl-dropped"
"""Says how many events the sender had to drop, and since when: ``COUNT since UNIXTIME``."""

CLOCK = "x-nightowl-clock"
"""Says what time it is at the sender, in Unix seconds: the times of its events are corrected by it."""

_MOMENT = r"(\d{1,10}(?:\.\d{1,6})?)"
_DROPPED = re.compile(r"(\d{1,12}) since " + _MOMENT)
_CLOCK = re.compile(_MOMENT)


class TakenModel(Model):
    """What became of events. Those that were taken are kept until the cluster's watcher has stored what they say."""

    taken: int = Field(description="How many are kept.")
    refused: dict[str, int] = Field(description="How many are no events, by reason.")


_DESCRIPTION = f"""
The body is a JSON list of at most 1,000 events as Celery's workers send them, of at most {LARGEST // 1024} KiB, which
may be compressed (`Content-Encoding: gzip`). `X-NightOwl-Dropped: COUNT since UNIXTIME` says that the sender had to
drop some, `X-NightOwl-Clock: UNIXTIME` what time it is there. 503 while too many wait to be taken.
`nightowl-instrument` does all of this.
"""


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoint of events."""
    api = Endpoints("/clusters/{cluster}", "clusters")

    @api.post("/events", status_code=202, summary="Push events of workers", description=_DESCRIPTION)
    async def push(cluster: Annotated[str, Path(max_length=255)], request: Request) -> TakenModel:
        body = _plain(await request.body(), request.headers.get("content-encoding", ""))
        return TakenModel(**to_builtins(await run_in_threadpool(handlers.push, cluster, body, _told(request.headers))))

    return api


def _told(headers: Headers) -> Told:
    dropped, clock = _DROPPED.fullmatch(headers.get(DROPPED, "")), _CLOCK.fullmatch(headers.get(CLOCK, ""))
    return Told(
        dropped=int(dropped[1]) if dropped else 0,
        since=float(dropped[2]) if dropped else 0.0,
        clock=float(clock[1]) if clock else 0.0,
    )


def _plain(body: bytes, encoding: str) -> bytes:
    if encoding not in ("", "identity", "gzip"):
        raise HTTPException(415, "A body may be compressed by gzip only.")
    if encoding == "gzip":
        reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            body = reader.decompress(body, LARGEST + 1)
        except zlib.error:
            raise HTTPException(400, "The body is not compressed as it says.") from None
        if len(body) <= LARGEST and not reader.eof:
            raise HTTPException(400, "The body ends in the middle.")
    if len(body) > LARGEST:
        raise HTTPException(413, f"A list of events has at most {LARGEST // 1024} KiB.")
    return body
