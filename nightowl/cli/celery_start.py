"""What ``celery -A APP nightowl`` starts: the roles that watch one cluster, with Flower's options."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import click

from nightowl.cli.logs import log_to_stderr
from nightowl.cli.opening import errors_told
from nightowl.config import Configuration, state_folder
from nightowl.config.flower import configuration, read
from nightowl.core.redaction import without_password
from nightowl.roles.celery_app import roles
from nightowl.roles.gathering import run
from nightowl.roles.installation import Installation
from nightowl.web.passwords import hashed
from nightowl.web.serve import address
from nightowl.wire.own_app import own_app

log = logging.getLogger(__name__)


def start(app: Any, arguments: Sequence[str], celery_options: Collection[str]) -> None:
    """Run until a signal ends it; leaves with the exit status."""
    log_to_stderr("plain")
    with errors_told():
        given = read(arguments, celery_options=celery_options)
        own = own_app(app)
        settings = configuration(given, own.settings(), state_folder(), hashed)
        for line in [*given.notes(), *own.remarks()]:
            log.warning("%s", line)
        installation = Installation(fixed=settings)
        running = roles(installation, own, ready=partial(_tell_address, settings))
    raise SystemExit(run(running, reload=installation.reload))


def _tell_address(settings: Configuration, port: int) -> None:
    server = settings.server
    (cluster,) = settings.clusters.values()
    at = address(server.listen_host, port, secure=bool(server.certificate))
    place = server.unix_socket or f"{at}{server.url_prefix}/"
    click.echo(f"NightOwl watches {cluster.name} at {without_password(cluster.broker)}", err=True)
    click.echo(f"NightOwl is at {place} (Ctrl-C ends it)", err=True)
