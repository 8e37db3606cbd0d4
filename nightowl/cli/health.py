"""``nightowl health``: does a role of this machine work, or a worker of a watched cluster?"""

from __future__ import annotations

import time

import click

from nightowl.cli.clusters import cluster_of
from nightowl.cli.opening import errors_told
from nightowl.cli.stored import store_option
from nightowl.roles.pulse import FRESH, signs
from nightowl.wire.checks import load_configuration


@click.command()
@click.option(
    "--role",
    type=click.Choice(["director", "actor", "evaluator", "watcher", "notifier", "sinks", "web"]),
    help="The role asked for.",
)
@click.option("--cluster", metavar="NAME", help="The cluster of the worker asked for.")
@click.option("--worker", metavar="NODE", help="The worker asked for, such as celery@web-1.")
@click.option("--timeout", default=5.0, show_default=True, help="Seconds that the worker is given to answer.")
@store_option
def health(role: str | None, cluster: str | None, worker: str | None, timeout: float, path: str | None) -> None:
    """Say whether a role of this machine works, or a worker of a cluster: exit 0 where it does, else 1.

    For containers and service managers; over HTTP a role says the same at /health of its --listen address, and the
    web at its /ready. A process works while its loop turns and it can reach its broker and store. A worker works while
    it answers a ping by way of its broker; no other role needs to run for that.

    \b
    nightowl health --role director
    nightowl health --cluster shop --worker celery@$HOSTNAME
    nightowl health --cluster shop --worker celery@web-1 -c /etc/nightowl --timeout 10
    """  # noqa: D301 - \b is the character by which click keeps the lines
    if role and not (cluster or worker):
        raise SystemExit(0 if _role_works(role) else 1)
    if role or not (cluster and worker):
        raise click.UsageError("give either --role, or --cluster and --worker")
    from nightowl.wire.examining import answers  # noqa: PLC0415 - it needs Celery, which a role's health does not

    with errors_told():
        works = answers(cluster_of(load_configuration(path), cluster, "--cluster"), worker, timeout)
    click.echo(f"{worker}: {'works' if works else f'no answer within {timeout:g} s'}")
    raise SystemExit(0 if works else 1)


def _role_works(role: str) -> bool:
    """Print what each process of a role said last; return whether one works."""
    now = time.time()
    found = signs(role)
    for sign in found:
        age = now - sign.at
        if age > FRESH:
            click.echo(f"{role} {sign.pid}: no sign of life for {age:.0f} s")
        else:
            click.echo(f"{role} {sign.pid}: {sign.fault or 'works'}")
    if not found:
        click.echo(f"{role}: no process of this role runs here")
    return any(now - sign.at <= FRESH and not sign.fault for sign in found)
