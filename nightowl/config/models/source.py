"""``[source.NAME]``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nightowl.config.fields import Headers, Line, Seconds, WebUrl
from nightowl.config.models.check import Auth
from nightowl.config.models.table import Table


class Source(Table):
    """Where rules read series that NightOwl does not keep itself."""

    kind: str
    """`prometheus` (and what answers its API, such as VictoriaMetrics), `graphite`, `opentsdb` or `files`. Or a \
plug-in's."""
    url: WebUrl | None = None
    """Where the source is, to which the paths of its API are added. Not of `files`."""
    path: Annotated[Line, Field(min_length=1)] | None = None
    """Of `files`: the folder, relative to the configuration file."""
    auth: Auth | None = None
    """How to sign in: `{ basic = "user:password" }` or `{ bearer = "token" }`."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send, such as that of a tenant."""
    verify: bool = True
    """Whether the source's certificate must be valid, trusted and made for its host."""
    ca: str | None = None
    """CA certificates that the source's is verified by: a PEM file or text. Without it: the system's."""
    timeout: Annotated[float, Seconds(at_least=0.1, at_most=8.0)] = 5.0
    """How long one answer may take."""
