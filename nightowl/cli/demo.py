"""``nightowl demo``: ``up`` for a sample shop that fails in several ways, with an inbox of its own; all offline."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import tomli_w

from nightowl.cli.listen import naming_listen
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import errors_told
from nightowl.demo import scenario
from nightowl.demo.fleet import Fleet
from nightowl.demo.inbox import Inbox
from nightowl.demo.shop import PAGES, Shop
from nightowl.roles.everything import everything
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation
from nightowl.wire.bus import FOLDER_TRANSPORT


@click.command()
@click.option("--listen", default="127.0.0.1:5555", show_default=True, help="Address of the pages.")
@log_option
def demo(listen: str, style: str) -> None:
    """See every page and an incident within a minute, offline.

    Starts a sample shop on loopback (healthy, slow, flapping, with an expired certificate, failing at one location,
    really down), checks it from three locations every 5 s, and sends notices by e-mail and webhook to an inbox of its
    own. The shop has a Celery fleet of two workers over a folder as the broker, with tasks that succeed, fail, retry
    and get lost. What it stores is thrown away at the end.
    """
    log_to_stderr(style)
    with errors_told(), naming_listen(), _stage() as (shop, inbox, fleet, folder):
        path = folder / "nightowl.toml"
        table = {"server": {"listen": listen}, **scenario.configuration(shop, inbox, fleet)}
        path.write_text(tomli_w.dumps(table), encoding="utf-8")
        installation = Installation(str(path))
        roles: list[Role] = [_Play(shop, fleet)]
        roles += everything(installation, scenario.LOCATIONS, ready=lambda port: _tell(port, inbox, path))
        status = run(roles)
    raise SystemExit(status)


@contextmanager
def _stage() -> Iterator[tuple[Shop, Inbox, Fleet, Path]]:
    """Start shop, inbox and fleet, with a state folder that goes away at the end."""
    shop, inbox = Shop(), Inbox()
    with tempfile.TemporaryDirectory(prefix="nightowl-demo-") as folder:
        os.environ["STATE_DIRECTORY"] = folder
        fleet = Fleet(Path(folder) / "fleet", FOLDER_TRANSPORT)
        shop.start()
        inbox.start()
        fleet.start()
        try:
            yield shop, inbox, fleet, Path(folder)
        finally:
            fleet.stop()
            inbox.stop()
            shop.stop()


class _Play:
    """Breaks and heals the shop, and kills and starts workers of the fleet, by the timetable."""

    name = "demo"
    fault = ""

    def __init__(self, shop: Shop, fleet: Fleet) -> None:
        self._shop = shop
        self._fleet = fleet

    def run(self, stop: threading.Event) -> None:
        began = time.monotonic()
        while not stop.wait(0.2):
            elapsed = time.monotonic() - began
            self._fleet.play(scenario.away(elapsed))
            broken = scenario.broken(elapsed)
            for name in PAGES:
                if name in broken:
                    self._shop.break_(name)
                else:
                    self._shop.heal(name)


def _tell(port: int, inbox: Inbox, path: Path) -> None:
    click.echo(f"NightOwl's demo is at http://127.0.0.1:{port}/ (Ctrl-C ends it)", err=True)
    click.echo(f"  its inbox:         {inbox.page_url}", err=True)
    click.echo(f"  its configuration: {path}", err=True)
