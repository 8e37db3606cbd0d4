"""The interfaces between NightOwl's flows and the outside world.

Adapters implement them; flows and the web take them as arguments; ``nightowl.testing`` ships in-memory ones.
All are plain synchronous code. A store or bus that cannot be reached raises ``errors.Unavailable``.
"""

from nightowl.ports.bus import Bus, Delivery, ReportBus
from nightowl.ports.channels import Channel
from nightowl.ports.checks import (
    Actors,
    CheckFilter,
    CheckRow,
    Checks,
    Heartbeats,
    HeartbeatUrl,
    Page,
    Rounds,
    StoredCheck,
    Ticket,
)
from nightowl.ports.clock import Clock
from nightowl.ports.incidents import Claimed, Incidents, Outbox, OutboxRow, Silences
from nightowl.ports.people import Audit, AuditFilter, Tokens, Users
from nightowl.ports.probing import Connect, Engine, Probe, Transport
from nightowl.ports.rules import RuleDefinitions, RuleStandings, StoredRule
from nightowl.ports.series import Refusals, SeriesNames, SeriesStore
from nightowl.ports.sinks import Dropped, Sink
from nightowl.ports.sources import Source
from nightowl.ports.store import Feed, FeedItem, Lease, Leases, Retention, Store, Unit

__all__ = [
    "Actors",
    "Audit",
    "AuditFilter",
    "Bus",
    "Channel",
    "CheckFilter",
    "CheckRow",
    "Checks",
    "Claimed",
    "Clock",
    "Connect",
    "Delivery",
    "Dropped",
    "Engine",
    "Feed",
    "FeedItem",
    "HeartbeatUrl",
    "Heartbeats",
    "Incidents",
    "Lease",
    "Leases",
    "Outbox",
    "OutboxRow",
    "Page",
    "Probe",
    "Refusals",
    "ReportBus",
    "Retention",
    "Rounds",
    "RuleDefinitions",
    "RuleStandings",
    "SeriesNames",
    "SeriesStore",
    "Silences",
    "Sink",
    "Source",
    "Store",
    "StoredCheck",
    "StoredRule",
    "Ticket",
    "Tokens",
    "Transport",
    "Unit",
    "Users",
]
