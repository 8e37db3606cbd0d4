"""A real fleet's load through NightOwl as a process, at real receivers of every kind: each has the capture's counts.

Also those whose receiver was away for a while.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from tests.celery_fleet.fleet import Fleet, running
from tests.celery_fleet.wave import wave
from tests.conftest import FOLDER, require
from tests.core.exposition_reader import read
from tests.end_to_end import expected
from tests.end_to_end.pipes import RECEIVERS, Pipe, receivers
from tests.end_to_end.watching import Watching, watching
from tests.servers.server import Server
from tests.services.receiver_counts import KEYS, STAGES, Counts, moto, named

POOLS = ("threads", "solo")
OF_ALL = {"every": "1s", "metrics": "celery_*"}
"""Without NightOwl's own metrics a sink has sent no sample before it has sent a snapshot of the cluster."""

AWAY = {"statsd", "graphite"}


def waves(fleet: Fleet) -> None:
    """Let a wave go to each worker, which has a queue of its own, and wait until all is over."""
    with ThreadPoolExecutor(len(POOLS)) as senders:
        list(senders.map(partial(wave, fleet), POOLS))


def happened(fleet: Fleet) -> Counts:
    """What the capture says, by stage, task and queue."""
    found: Counts = Counter()
    for (metric, pairs), count in expected.series(fleet.capture.events, fleet.queues).items():
        if stage := re.fullmatch(r"celery_task_([a-z]+)_total", metric):
            labels = dict(pairs)
            found[stage[1], labels["name"], labels["queue_name"]] += count
    return found


def told(nightowl: Watching, metric: str, *but: str) -> dict[str, float]:
    """What /metrics says of each sink, summed over reasons ``but`` for some."""
    found: Counter[str] = Counter()
    for (name, pairs), value in read(nightowl.text("/metrics"))[0].items():
        labels = dict(pairs)
        if name == f"nightowl_sink_{metric}" and labels.get("reason") not in but:
            found[labels["sink"]] += value
    return dict(found)


def are_told(nightowl: Watching, metric: str, sinks: Iterable[str], value: float, *but: str) -> None:
    """Wait until /metrics says so of these sinks."""
    wanted = dict.fromkeys(sinks, value)
    nightowl.until(lambda: wanted.items() <= told(nightowl, metric, *but).items(), lambda: told(nightowl, metric))


def have_sent(nightowl: Watching, sinks: Iterable[str]) -> None:
    """Wait until each has sent a snapshot of the cluster: what rises from then on is told to those that count."""

    def silent() -> set[str]:
        return set(sinks) - {name for name, count in told(nightowl, "samples_total").items() if count}

    nightowl.until(lambda: not silent(), silent)


def have_counted(nightowl: Watching, pipes: dict[str, Pipe], fleet: Fleet) -> None:
    """Wait until each receiver has the counts of the capture, and no others."""
    assert {(stage, queue) for stage, _, queue in happened(fleet)} == set(product(STAGES, fleet.queues.values()))

    def unlike(pipe: Pipe) -> Counts:
        found, wanted = pipe.counts(), named(happened(fleet), pipe.name)
        return Counter({key: found[key] - wanted[key] for key in found.keys() | wanted.keys()})

    for name, pipe in pipes.items():
        nightowl.until(
            lambda pipe=pipe: not any(unlike(pipe).values()),
            lambda name=name, pipe=pipe: f"too many (or, below 0, too few) at {name}: {unlike(pipe)}",
        )


@pytest.mark.redis
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of boto3 and moto
def test_receivers_of_each_kind_have_the_counts_of_a_fleet_even_after_they_were_away(
    redis_url: str, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("moto.server", reason="moto is not installed")
    for variable, value in KEYS.items():
        monkeypatch.setenv(variable, value)
    with moto() as aws, receivers(pytestconfig.stash[FOLDER]) as servers:
        pipes = servers.pipes(aws, tmp_path)
        away = [name for name, pipe in pipes.items() if pipe.receiver in AWAY]
        tables = {"sink": {name: OF_ALL | pipe.table for name, pipe in pipes.items()}}
        with watching(tmp_path, redis_url, tables=tables) as nightowl:
            nightowl.web("up")
            with running(redis_url, POOLS) as fleet:
                nightowl.wait()
                servers.wait()
                nightowl.until(
                    lambda: all(node in str(nightowl.api("/workers")) for node in fleet.queues), "no workers"
                )
                have_sent(nightowl, pipes)
                waves(fleet)
                have_counted(nightowl, pipes, fleet)
                are_told(nightowl, "up", pipes, 1.0)
                are_told(nightowl, "dropped_total", pipes, 0.0)
                with ThreadPoolExecutor(1) as beside:
                    servers.all_at_once(AWAY, Server.kill)
                    second = beside.submit(waves, fleet)
                    are_told(nightowl, "up", away, 0.0)
                    servers.all_at_once(AWAY, Server.start)
                    second.result()
                have_counted(nightowl, pipes, fleet)
                are_told(nightowl, "up", pipes, 1.0)
                are_told(nightowl, "dropped_total", pipes, 0.0, "overtaken")
    require(*RECEIVERS)  # what is missing is told once the others have been read
