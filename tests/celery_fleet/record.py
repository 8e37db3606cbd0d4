"""Record a capture: ``python -m tests.celery_fleet.record --server redis --pool prefork --record FILE``.

Starts a private server and a worker, sends the load, and writes what the worker said. Without ``--record`` it goes
where the tests look for it. Another version of Celery is recorded with a folder that has it first in ``PYTHONPATH``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import celery

from tests.celery_fleet import load
from tests.celery_fleet.app import POOLS
from tests.celery_fleet.fleet import running
from tests.celery_fleet.recording import FOLDER, Recording, save
from tests.servers.run import Run, shared


def record(url: str, server: str, pool: str, *, sent_events: bool) -> Recording:
    """Run the load with one worker over an empty broker, and return what was captured."""
    with running(url, [pool], sent_events=sent_events) as fleet:
        played = load.run(fleet)[pool]
    counted = played.expected - played.doubled
    return Recording(
        celery=celery.__version__,
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
    parser.add_argument("--record", type=Path, metavar="FILE")
    options = parser.parse_args()
    suffix = "-without-sent" if options.without_sent else ""
    path = options.record or FOLDER / f"{options.server}-{options.pool}{suffix}.jsonl.gz"
    run = Run()
    try:
        url = shared(run.folder, options.server).fresh_url()
        save(record(url, options.server, options.pool, sent_events=not options.without_sent), path)
    finally:
        run.end()
    print(f"{path}: {path.stat().st_size} bytes")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
