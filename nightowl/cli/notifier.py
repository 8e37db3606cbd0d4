"""``nightowl notifier``: the role that sends notices."""

from __future__ import annotations

import signal
from threading import Event
from types import FrameType

import click

from nightowl import wire
from nightowl.cli.opening import config_option, errors_told
from nightowl.config import load


@click.command()
@config_option
def notifier(path: str) -> None:
    """Send notices to their channels until stopped; any number of notifiers may run."""
    stop = Event()

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # what a signal handler is given
        stop.set()

    with errors_told():
        configuration = load(path)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        wire.run_notifier(configuration, stop)
