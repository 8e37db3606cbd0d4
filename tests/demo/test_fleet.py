"""The sample fleet: real workers with every kind of task, which end with whoever started them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery

from nightowl.demo import fleet_app, fleet_traffic, scenario
from nightowl.demo.fleet import WORKERS, Fleet
from nightowl.wire.bus import FOLDER_TRANSPORT

SOON = {
    ("shop.charge", "task-succeeded"),
    ("shop.charge", "task-failed"),
    ("shop.send_receipt", "task-retried"),
    ("shop.send_receipt", "task-rejected"),
    ("shop.send_receipt", "task-revoked"),
    ("shop.print_labels", "task-succeeded"),
    ("shop.export_ledger", "task-sent"),
    ("shop.import_prices", "task-failed"),
    ("shop.build_catalogue", "task-progress"),
}
"""What is seen of a fleet within some seconds, among others."""

STARTER = """
import sys, time
from pathlib import Path
from nightowl.demo.fleet import Fleet
fleet = Fleet(Path(sys.argv[1]), sys.argv[2])
fleet.start()
print(*fleet.pids.values(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def fleet(tmp_path):
    fleet = Fleet(tmp_path, FOLDER_TRANSPORT)
    fleet.start()
    yield fleet
    fleet.stop()
    assert not fleet.pids


def test_a_fleet_shows_every_kind_of_task(fleet, tmp_path):
    assert seen(fleet.configuration) >= SOON


def seen(configuration: dict) -> set[tuple[str, str]]:
    """Which events came of which tasks, until all of ``SOON`` or for a minute."""
    watcher = Celery("watcher", broker=configuration["broker"], set_as_current=False)
    watcher.conf.broker_transport_options = configuration["transport_options"] | {"polling_interval": 0.02}
    names: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    receiver_end = time.monotonic() + 60

    def take(event: dict) -> None:
        if "uuid" in event:
            names.setdefault(event["uuid"], event.get("name", ""))
            found.add((names[event["uuid"]], event["type"]))
        receiver.should_stop = found >= SOON or time.monotonic() > receiver_end

    with watcher.connection_for_read(transport=FOLDER_TRANSPORT) as connection:
        receiver = watcher.events.Receiver(connection, handlers={"*": take})
        receiver.capture(limit=None, timeout=60, wakeup=False)
    return found


def test_a_worker_that_is_to_be_away_is_killed_and_comes_back(fleet):
    before = fleet.pids
    fleet.play(frozenset({"mail"}))
    assert fleet.pids.keys() == before.keys() - {"mail"}
    end = time.monotonic() + 30
    while "mail" not in fleet.pids and time.monotonic() < end:
        fleet.play(frozenset())
        time.sleep(0.05)
    assert fleet.pids.keys() == before.keys()
    assert fleet.pids["mail"] != before["mail"]


def test_a_fleet_ends_when_who_started_it_is_killed(tmp_path):
    command = [sys.executable, "-c", STARTER, str(tmp_path), FOLDER_TRANSPORT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(pid) for pid in starter.stdout.readline().split()]
        starter.kill()
    assert len(pids) == len(WORKERS) + 1
    end = time.monotonic() + 30
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, "they live on"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_mail_goes_away_within_a_minute_and_is_back_before_it_goes_again():
    assert [bool(scenario.away(second)) for second in (0, 29, 31, 69, 71, 239, 271)] == [
        False, False, True, True, False, False, True,
    ]  # fmt: skip


def test_the_late_entry_is_held_back_and_no_other(monkeypatch):
    scheduler = fleet_traffic.TardyScheduler(fleet_app.app)
    entries = dict(scheduler.schedule)
    long_ago = entries[fleet_app.LATE].default_now().replace(year=2020)
    held = Counter()
    for second in (0.0, 10.0, 19.0, 21.0, 50.0):
        monkeypatch.setattr(fleet_traffic.time, "time", lambda at=second: 6000.0 + at)
        for name, entry in entries.items():
            entry.last_run_at = long_ago
            held[name] += not scheduler.is_due(entry).is_due
    assert held == Counter({fleet_app.LATE: 3})
