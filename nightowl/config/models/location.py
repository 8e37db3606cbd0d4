"""``[location.NAME]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nightowl.config.fields import LocationKeys, Network, Port, Shape, TargetUrl
from nightowl.config.models.table import Table


class Allowed(Table):
    """A network that checks may reach."""

    network: Network
    """In CIDR form."""
    ports: list[Port] = Field(default_factory=list)
    """Without any: all ports."""


class Location(Table):
    """A place that runs checks. Where none is declared there is one, called `local`, that reaches the internet."""

    reach: Literal["internet", "private"] = "internet"
    """`internet`: global addresses, and what `allow` lists. `private`: only what `allow` lists."""
    allow: Annotated[list[Allowed], Shape("list of networks")] = Field(default_factory=list)
    """Networks that checks may reach from here: `{ network = "10.0.0.0/8", ports = [80, 443] }`; no ports: all."""
    control: Annotated[list[TargetUrl], Field(max_length=5), Shape("list of URLs")] = Field(default_factory=list)
    """URLs, at most five, that answer while this place is online; while all fail, nothing counts as down from here."""
    broker: str = ""
    """A broker of this location's own, as in `[bus]`. Without it: that of `[bus]`."""
    key: LocationKeys | None = None
    """Seals this location's jobs and reports, best as `"${file:keys/NAME.key}"`: what `nightowl location add` and \
`nightowl keys new` make. A list of two while one takes the other's place. Without it: whoever can read the broker can \
read jobs, and whoever can write to it can make some up."""
    labels: Annotated[dict[str, str], Shape("table of name to text")] = Field(default_factory=dict)
    """Names and values that describe the place, such as `{ region = "eu" }`."""
