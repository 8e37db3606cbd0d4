"""Events of tasks that are told to others: ``[hook.NAME]``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from nightowl.config.fields import Line, Seconds, Shape, WebUrl
from nightowl.config.models.table import Table


def _listed(found: object) -> object:
    return [found] if isinstance(found, str) else found


Patterns = Annotated[list[Line], Field(min_length=1), BeforeValidator(_listed), Shape("shell pattern, or list of them")]
"""One shell pattern or several."""

Hooked = Literal["task-succeeded", "task-failed", "task-retried", "task-revoked", "task-rejected"]
"""Events that hooks can be told of."""


def _failed_alone() -> list[Hooked]:
    return ["task-failed"]


class Hook(Table):
    """Events of tasks as JSON to a URL of yours, one request each, signed where `secret` is given."""

    stand_ins: ClassVar = {"url": "http://hook.invalid/"}

    url: WebUrl
    """Where events are posted."""
    on: Annotated[list[Hooked], Field(min_length=1)] = Field(default_factory=_failed_alone)
    """Which events: `task-succeeded`, `task-failed`, `task-retried`, `task-revoked`, `task-rejected`."""
    cluster: Patterns = Field(default_factory=lambda: ["*"])
    """Of which clusters."""
    task: Patterns = Field(default_factory=lambda: ["*"])
    """Of which tasks, by name."""
    secret: Annotated[str, Field(min_length=1)] | None = None
    """The key of the HMAC-SHA256 signature of each request, best as `${env:NAME}`. Without it: not signed."""
    verify: bool = True
    """Whether the receiver's certificate must be valid, trusted and made for its host."""
    ca: str | None = None
    """CA certificates that the receiver's is verified by: a PEM file or text. Without it: the system's."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=30)] = 10.0
    """How long one delivery may take."""
