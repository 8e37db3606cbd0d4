"""One file per command; joins wire and web.

Commands are imported when they are asked for: ``nightowl --help`` is quick, and an actor's process is patched by gevent
before anything of the network is imported.
"""

from __future__ import annotations

from importlib import import_module

import click

from nightowl import __version__

COMMANDS = {
    "up": "all roles in one process",
    "demo": "up, with a sample shop and its own inbox, offline",
    "director": "the role that schedules rounds and decides",
    "actor": "the role that runs checks at a location",
    "evaluator": "the role that evaluates rules on sources",
    "watcher": "the role that watches Celery clusters",
    "notifier": "the role that sends notices",
    "web": "the role that serves pages and API",
    "probe": "run attempts from here, now, with no broker",
    "rules": "run unit tests of rules",
    "backtest": "try rules on history",
    "location": "add places that run checks",
    "keys": "make what keeps strangers out of the traffic with actors",
    "config": "prove, show and begin a configuration",
    "db": "migrate, back up and restore the store",
    "user": "add people who may sign in",
    "token": "make and revoke what programs sign in with",
    "heartbeat": "show and renew the URLs that jobs call",
    "channel": "try out where notices go",
    "incidents": "list incidents",
    "ack": "acknowledge an incident",
    "silence": "let incidents open without a word for a while",
    "doctor": "say what cannot be seen of a cluster, and what mends it",
    "health": "say whether a role works, or a worker of a cluster",
}
"""Each command is the function of its name in the module of its name."""


class _Commands(click.Group):
    """A group that imports a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"nightowl.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nightowl")
def main() -> None:
    """Distributed monitoring and alerting, built on Celery and for Celery."""
