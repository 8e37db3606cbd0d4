"""``nightowl doctor``: what can be seen of a cluster, what cannot, and the setting that mends it."""

from __future__ import annotations

from collections.abc import Iterable

import click
import msgspec

from nightowl.cli.clusters import cluster_of
from nightowl.cli.opening import errors_told
from nightowl.cli.stored import store_option
from nightowl.config import Configuration
from nightowl.core.cluster.examination import Part, verdict
from nightowl.core.redaction import Mask, hiding
from nightowl.wire.checks import load_configuration
from nightowl.wire.examining import examining

_EXITS = {"works": 0, "missing": 1, "fails": 2}


@click.command()
@click.argument("cluster")
@store_option
@click.option("--timeout", default=2.0, show_default=True, help="Seconds that workers are given for each question.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def doctor(cluster: str, path: str | None, timeout: float, *, as_json: bool) -> None:
    """Try each way to CLUSTER once, and say what cannot be seen, and which setting mends it.

    Tries the broker, remote control, events, queues, the settings of each worker, the result backend and the beat
    schedule, from here and now: no other role needs to run, and nothing is changed. Exit 0 where everything works, 1
    where something is missing, 2 where something fails or nothing could be tried.

    \b
    nightowl doctor shop                   the cluster of [cluster.shop]
    nightowl doctor redis://127.0.0.1/0    what there would be to see of one that is not configured
    nightowl doctor shop --timeout 10      workers that are busy answer late
    nightowl doctor shop --json | jq '.parts[] | select(.health != "works")'
    """  # noqa: D301 - \b is the character by which click keeps the lines
    with errors_told():
        # a broker that is named by its URL is tried whatever is wrong with the files that lie here
        configuration = Configuration() if "://" in cluster else load_configuration(path)
        settings = cluster_of(configuration, cluster, "CLUSTER")
        hide = hiding(settings.secrets)
        with examining(settings, timeout) as parts:
            shown = (_without(part, hide) for part in parts)
            found = list(shown if as_json else _printed(shown))
    if as_json:
        answer = {"cluster": settings.name, "health": verdict(found), "parts": found}
        click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
    raise SystemExit(_EXITS[verdict(found)])


def _without(part: Part, hide: Mask) -> Part:
    """A part without what is secret in its cluster, whatever a driver said."""
    return msgspec.structs.replace(part, says=hide(part.says), mend=hide(part.mend))


def _printed(parts: Iterable[Part]) -> Iterable[Part]:
    """Print each part as soon as it is known."""
    for part in parts:
        click.echo(f"{part.health:<8} {part.name}: {part.says}")
        if part.mend:
            click.echo(f"{'':<8} to mend it: {part.mend}")
        yield part
