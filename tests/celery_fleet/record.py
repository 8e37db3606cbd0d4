"""Record a capture: ``python -m tests.celery_fleet.record --server redis --pool prefork --record FILE``.

Starts a private server and a worker, sends the load, and writes what the worker said. Without ``--record`` it goes
where the tests look for it. ``--python`` is an interpreter with another Celery, which the worker then has; the client
has this one's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import celery

from tests.celery_fleet import load
from tests.celery_fleet.app import POOLS
from tests.celery_fleet.fleet import PYTHON, running
from tests.celery_fleet.recording import FOLDER, Recording, save
from tests.servers.run import Run, shared


def record(url: str, server: str, pool: str, *, sent_events: bool, python: str = PYTHON) -> Recording:
    """Run the load with one worker over an empty broker, and return what was captured."""
    with running(url, [pool], sent_events=sent_events, python=python) as fleet:
        played = load.run(fleet)[pool]
    counted = played.expected - played.doubled
    return Recording(
        celery=fleet.celery,
        broker=server,
        pool=pool,
        sent_events=sent_events,
        queues=fleet.queues,
        expected=sorted((*key, count) for key, count in counted.items()),
        messages=fleet.capture.messages,
    )


def main() -> None:
    """Record what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=("redis", "rabbitmq"), required=True)
    parser.add_argument("--pool", choices=POOLS, required=True)
    parser.add_argument("--without-sent", action="store_true", help="without task-sent events")
    parser.add_argument("--python", default=PYTHON, metavar="FILE", help="the worker's interpreter")
    parser.add_argument("--record", type=Path, metavar="FILE")
    options = parser.parse_args()
    run = Run()
    try:
        url = shared(run.folder, options.server).fresh_url()
        recorded = record(
            url, options.server, options.pool, sent_events=not options.without_sent, python=options.python
        )
    finally:
        run.end()
    path = options.record or FOLDER / f"{_name(recorded)}.jsonl.gz"
    save(recorded, path)
    print(f"{path}: {path.stat().st_size} bytes")  # noqa: T201 - a command


def _name(recorded: Recording) -> str:
    """Such as ``redis-prefork``, with ``-5.4`` for another Celery than the one that is installed here."""
    minor = recorded.celery.rpartition(".")[0]
    parts = [recorded.broker, recorded.pool, *["without-sent"] * (not recorded.sent_events)]
    return "-".join([*parts, *[minor] * (not celery.__version__.startswith(f"{minor}."))])


if __name__ == "__main__":
    main()
