"""Events out of messages: at the speed of C where a message is as Celery sends it, field by field where it is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any

import msgspec

from nightowl.adapters.celery_cluster.events.lenient import NoEvent, event
from nightowl.adapters.celery_cluster.events.serialisation import TOO_LARGE, Unreadable, parse
from nightowl.core.cluster.events import ENOUGH, Event

LARGEST = 2 * 1024 * 1024
"""Bytes of a message's body at most. Workers send up to 24 events in one; a task's error has some kilobytes."""

MOST = 10_000
"""Events in one message at most."""

COMPRESSED = "compressed"
TOO_MANY = "too many events in one message"

UNLIKE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises at a body that is not as Celery sends it."""

_decode = msgspec.json.Decoder(Annotated[list[Event], msgspec.Meta(max_length=MOST)] | Event).decode


class Label(msgspec.Struct, frozen=True):
    """What a message says of its body."""

    content_type: str = "application/json"
    compressed: bool = False


class Sieve:
    """Collects events from messages and counts what is none by reason, until it is emptied. Nothing raises."""

    def __init__(self, accepted: Collection[str] = ()) -> None:
        self._accepted = frozenset(accepted)
        self.events: list[Event] = []
        self.refused: dict[str, int] = {}

    @property
    def has_enough(self) -> bool:
        """Whether what was collected is to be handed on before more is."""
        return len(self.events) >= ENOUGH

    def take(self, body: bytes) -> bool:
        """Take a message's body, if it is as Celery sends it; else return False: ``take_strange`` is for such."""
        try:
            # A NUL is no character to databases. A search for one byte is the quick one.
            if len(body) > LARGEST or (b"\\" in body and b"\\u0000" in body):
                return False
            found: Any = _decode(body)
        except UNLIKE:
            return False
        if found.__class__ is Event:
            self.events.append(found)
        else:
            self.events += found
        return True

    def take_strange(self, body: bytes, label: Label) -> None:
        """Take what can be taken of a message that is not as Celery usually sends it."""
        if len(body) > LARGEST:
            self.refuse(TOO_LARGE)
        elif label.compressed:
            self.refuse(COMPRESSED)
        else:
            self._parse(body, label.content_type)

    def _parse(self, body: bytes, content_type: str) -> None:
        try:
            raw = parse(body, content_type, self._accepted)
        except Unreadable as error:
            self.refuse(str(error))
            return
        several: Sequence[object] = raw if isinstance(raw, list) else [raw]
        if len(several) > MOST:
            self.refuse(TOO_MANY)
            return
        for each in several:
            try:
                self.events.append(event(each))
            except NoEvent as error:
                self.refuse(str(error))

    def refuse(self, reason: str) -> None:
        """Count a message that is no event. ``reason`` holds nothing of its content."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    def empty(self) -> tuple[list[Event], dict[str, int]]:
        """Return what was collected, and begin anew."""
        found = self.events, self.refused
        self.events, self.refused = [], {}
        return found
