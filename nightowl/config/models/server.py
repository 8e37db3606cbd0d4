"""The tables that exist once: what this installation is and where it keeps things."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nightowl.config.fields import Address, HostName, Network, Options, Prefix, PublicUrl, Seconds, Size, WebUrl
from nightowl.config.models.table import Table
from nightowl.core.series import MOST_SERIES

_DAY = 86400.0
_HOUR = 3600.0


class Server(Table):
    """The pages and the API."""

    listen: Address = "127.0.0.1:5555"
    """Where pages and API are served. On an address that is not loopback, people must sign in."""
    public_url: PublicUrl | None = None
    """How people reach the pages; links in notices begin with it. Without it notices carry no links."""
    hosts: list[HostName] = Field(default_factory=list)
    """Further host names that people and programs reach the pages by, besides that of `public_url`, addresses and \
names without a dot. Requests to other names are refused."""
    url_prefix: Prefix = ""
    """The path under which a reverse proxy serves the pages, such as `/nightowl`."""
    trusted_proxies: list[Network] = Field(default_factory=list)
    """Networks of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    secret_key: Annotated[str, Field(min_length=32)] | None = None
    """Signs forms and seals the secrets of checks: at least 32 characters. Without it one is made and kept in the \
state folder. Roles on several machines need the same; a restored backup needs the one that it was written under."""
    metrics_listen: Address | None = None
    """An address of its own for `/metrics`, which then is not served beside the pages."""


class Store(Table):
    """The database."""

    url: str = ""
    """`sqlite:///PATH` (relative to the configuration file), `postgresql://...` or `mariadb://...`. Without it: \
SQLite in the state folder."""


class Retention(Table):
    """How long what is remembered. Open incidents and unsent notices stay however old they are."""

    attempts: Annotated[float, Seconds(at_least=_HOUR)] = 7 * _DAY
    """Every attempt with its phases, certificate and excerpt."""
    outcomes: Annotated[float, Seconds(at_least=_HOUR)] = 90 * _DAY
    """What each location said in each round, and the verdicts."""
    series: Annotated[float, Seconds(at_least=_HOUR)] = 14 * _DAY
    """The samples of series, such as `celery_queue_length`."""
    rollups: Annotated[float, Seconds(at_least=_DAY)] = 400 * _DAY
    """Smallest, largest and mean value of series in every five minutes, for long ranges; never shorter than \
`series`."""
    max_series: Annotated[int, Field(ge=1000)] = MOST_SERIES
    """The most series that the store knows. Samples of further ones are refused, which an incident `series` tells."""
    tasks: Annotated[float, Seconds(at_least=_HOUR)] = 14 * _DAY
    """Tasks of watched clusters."""
    max_tasks: Annotated[int, Field(ge=1000)] | None = None
    """The most tasks that are kept of each cluster; the oldest go earlier. Without it: as many as come."""
    incidents: Annotated[float, Seconds(at_least=_DAY)] = 730 * _DAY
    """Resolved incidents with their timelines and notices, and silences that have ended."""
    max_size: Size | None = None
    """The most bytes that the store may take; the oldest attempts, outcomes and samples go earlier to keep it."""


class Bus(Table):
    """The broker between director and actors."""

    broker: str = ""
    """`memory://` (all roles in one process), `filesystem:///FOLDER`, `redis://...`, `rediss://...`, `amqp://...`, \
`amqps://...` or `mariadb+pymysql://...`. Without it: `memory://`."""
    transport_options: Options = Field(default_factory=dict)
    """Options of Celery's transport for this broker (`broker_transport_options`)."""
    ca: str | None = None
    """A file of CA certificates (PEM) that the broker's certificate is verified by. Without it: the system's. The \
three files hold for the brokers of locations, too."""
    certificate: str | None = None
    """A file with the client certificate (PEM) that is shown to the broker."""
    key: str | None = None
    """A file with the private key (PEM) of `certificate`."""


class Self(Table):
    """Who watches the watcher."""

    ping: WebUrl | None = None
    """A URL that is called every minute while NightOwl works, so that another service notices when it does not."""


class Auth(Table):
    """Signing in. Users stand in `[user.NAME]`; this version has no keys here."""
