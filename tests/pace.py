"""What makes a run of all tests quick: files in memory, and long tests first."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")

ROOM = 4 * 1024**3
"""Bytes that have to be free there; a whole run takes a fraction of them."""

LONG = (
    "end_to_end/test_brokers.py",
    "end_to_end/test_kills.py",
    "end_to_end/test_watched_fleet.py",
    "end_to_end/test_canaries.py",
    "docs/test_fleet.py",
    "end_to_end/test_watcher_killed.py",
    "end_to_end/test_locations.py",
    "end_to_end/test_pushed_fleet.py",
    "docs/test_broker_rights.py",
    "end_to_end/test_pipelines.py",
    "end_to_end/test_backtest_agrees.py",
    "end_to_end/test_task_checks.py",
    "end_to_end/test_two_directors.py",
    "cli/test_roles.py",
    "flower/test_flower_workers.py",
    "end_to_end/test_purge.py",
    "end_to_end/test_memory_broker.py",
    "end_to_end/test_actor_process.py",
    "services/test_bus_permissions.py",
    "deploy/test_compose.py",
    "end_to_end/test_mixin.py",
    "end_to_end/test_heartbeat.py",
    "services/test_bus_faults.py",
    "services/test_servers.py",
    "celery_fleet/test_harness.py",
    "end_to_end/test_watched_broker_restart.py",
    "services/test_fold_of_a_real_worker.py",
    "celery_cluster/test_depth_management.py",
    "services/test_event_intake_redis.py",
    "end_to_end/test_watched_garbage.py",
    "demo/test_fleet.py",
    "end_to_end/test_location_add_starts.py",
    "services/test_bus.py",
    "services/test_evaluators.py",
)
"""Files with tests of many seconds, most of which are spent waiting; the longest first."""


WATCHED_LIVE = frozenset(
    {
        *("browser", "celery_bus", "celery_cluster", "celery_fleet", "cli", "demo", "docs"),
        *("end_to_end", "flower", "instrument", "probes", "services"),
    }
)
"""Folders of tests that watch other programs at work, whose pace is that of the machine."""


def is_watched_live(item: pytest.Item) -> bool:
    """Whether a test that fails is run once more, to tell a mistake from a slow moment; the summary names it."""
    return item.path.parent.name in WATCHED_LIVE


def keep_files_in_memory() -> None:
    """Put temporary files, of this process and of those that it starts, where nothing waits for a disk.

    Databases and brokers sync what they write, and a test makes little else. Elsewhere than in memory that takes more
    time than all the rest. Who names a folder (``TMPDIR``) is obeyed.
    """
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def long_ones_first(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """Return tests in an order by which none of the long ones is left to the end, and the processor is always used.

    Each worker gets a stretch of the list, all of the same length, and takes from the end of another's when it is done
    with its own. So half of the stretches begin with the long tests, which wait, and the others with those that work.
    """
    ranks = {name: rank for rank, name in enumerate(LONG)}
    long = sorted((each for each in items if _name(each) in ranks), key=lambda each: ranks[_name(each)])
    waiting = max(1, workers // 2)
    if len(long) > waiting * (len(items) // workers):
        return list(items)
    short = iter([each for each in items if _name(each) not in ranks])
    found: list[pytest.Item] = []
    for worker in range(workers):
        length = (len(items) - len(found)) // (workers - worker)
        share = long[worker::waiting] if worker < waiting else []
        found += [*share, *islice(short, length - len(share))]
    return found


def _name(item: pytest.Item) -> str:
    return "/".join(item.path.parts[-2:])
