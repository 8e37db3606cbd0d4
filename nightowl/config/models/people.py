"""Who is told, and who may sign in: ``[route.NAME]`` and ``[user.NAME]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nightowl.config.fields import Names, Seconds, Shape, TagName, each_once, refuse
from nightowl.config.models.table import Table


def _argon2(found: str) -> str:
    if not found.startswith("$argon2"):
        raise refuse('the encoded form of argon2, which begins with "$argon2id$"')
    return found


class Escalation(Table):
    """A step of an escalation."""

    after: Annotated[float, Seconds(at_least=1)]
    """How long after the incident was told first, or an acknowledgement ran out."""
    to: Names
    """The further channels; they also hear when the incident gets worse and ends."""


class Route(Table):
    """Which incidents go to which channels. Without any route everything goes to every channel."""

    match: Annotated[dict[str, str], Shape("table of name to pattern")] = Field(default_factory=dict)
    """What an incident must have: `severity` (also as `">=warning"`), `name` (of the check, of the rule with its \
labels, or what was found in a cluster), `kind` (`check`, `rule`, `nodata`, `cluster`, or `own` for a fault of \
NightOwl itself) or a tag, as shell patterns: \
`{ severity = "critical", team = "shop*" }`. Empty: all."""
    to: Names
    """The channels."""
    repeat: Annotated[float, Seconds()] = 14400.0
    """From one reminder to the next while the incident is open and nobody has acknowledged it; `"0s"`: none."""
    group_by: Annotated[list[TagName], AfterValidator(each_once), Shape("list of tags")] = Field(default_factory=list)
    """Tags in which incidents must agree to share a message: `["team"]`. Without it each incident has its own."""
    wait: Annotated[float, Seconds(at_most=3600)] = 10.0
    """How long an incident that is not critical waits for others of its group, from the first of them on. One that \
ends meanwhile is told to nobody."""
    escalate: list[Escalation] = Field(default_factory=list)
    """Who else is told while nobody acknowledges: `[{ after = "15m", to = ["boss"] }]`."""


class User(Table):
    """Somebody who may sign in."""

    role: Literal["viewer", "operator", "admin"]
    """`viewer` looks; `operator` also acknowledges, adds, changes, deletes and runs checks; `admin` also manages \
users, reads the audit and reloads the configuration."""
    password_hash: Annotated[str, AfterValidator(_argon2)]
    """The password's argon2 hash, best as `${file:PATH}`."""
