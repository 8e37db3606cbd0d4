"""The tables of a configuration file, one model each, and what later versions will know."""

from __future__ import annotations

from collections.abc import Mapping

from nightowl.config.kinds import BUILT_IN
from nightowl.config.models import (
    channel,
    check,
    cluster,
    hook,
    location,
    maintenance,
    people,
    rule,
    server,
    sink,
    source,
)
from nightowl.config.models.table import Table

SINGLE: dict[str, type[Table]] = {
    "server": server.Server,
    "store": server.Store,
    "retention": server.Retention,
    "bus": server.Bus,
    "self": server.Self,
    "auth": server.Auth,
    "metrics": cluster.Metrics,
}
"""Tables that stand once."""

NAMED: dict[str, type[Table] | None] = {
    "location": location.Location,
    "template": check.Template,
    "check": check.Check,
    "rule": rule.Rule,
    "source": source.Source,
    "cluster": cluster.Cluster,
    "hook": hook.Hook,
    "channel": None,
    "sink": None,
    "route": people.Route,
    "maintenance": maintenance.Maintenance,
    "user": people.User,
}
"""Tables of named tables; the model of a channel and of a sink follows from its kind."""

BY_KIND: dict[str, Mapping[str, type[Table]]] = {"channel": channel.CHANNELS, "sink": sink.SINKS}
"""The models of tables that have one for each kind."""

PLUG_INS: dict[str, type[Table]] = {"channel": channel.PlugIn, "sink": sink.PlugIn}
"""Those of the kinds of plug-ins."""

BUILT_IN_KINDS = tuple(BUILT_IN)
"""The kinds of checks that need no plug-in."""

CHANNEL_KINDS = tuple(channel.CHANNELS)
"""The kinds of channels that need no plug-in."""

SINK_KINDS = tuple(sink.SINKS)
"""The kinds of sinks that need no plug-in."""

LATER_TABLES: frozenset[str] = frozenset()
"""Tables that later versions will have: refused, not ignored."""

LATER_KEYS: dict[str, frozenset[str]] = {
    "auth": frozenset({"oidc"}),
}
"""Keys that later versions will have, by table and sub-table."""
