"""``nightowl channel``: try out where notices go."""

from __future__ import annotations

from time import time

import click

from nightowl.cli.opening import errors_told
from nightowl.cli.stored import store_option
from nightowl.core.errors import DeliveryFailed, NotFound
from nightowl.core.routing import trial
from nightowl.wire import notices
from nightowl.wire.addresses import link
from nightowl.wire.checks import load_configuration


@click.group()
def channel() -> None:
    """Try out where notices go."""


@channel.command("test", short_help="Send a test notice now.")
@click.argument("name")
@store_option
def try_out(name: str, path: str | None) -> None:
    """Send a test notice to the channel NAME now; exit 1 where it is not taken."""
    with errors_told():
        configuration = load_configuration(path)
        channels = notices.channels(configuration)
        if name not in channels:
            there_are = f"there are {', '.join(sorted(channels))}" if channels else "there is none"
            raise NotFound(f"{path or 'the defaults'}: no channel is called {name}; {there_are}")
        try:
            remark = channels[name].send(trial(name, link(configuration), time()))
        except DeliveryFailed as failure:
            raise DeliveryFailed(f"test notice to {name}: failed: {failure}") from None
    click.echo(f"test notice to {name}: sent{f', but {remark}' if remark else ''}")
