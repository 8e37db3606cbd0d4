"""Events that real workers push, and what becomes of them while nobody takes any."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.instrument.fleet import fleet
from tests.instrument.receiver import Owl, owl

TASKS = 12


def taken(found: Owl, kind: str) -> list[dict[str, Any]]:
    """Events of a kind that came since they are taken."""
    return [event for events, _ in found.came for event in events if event["type"] == kind]


def test_processes_of_a_pool_tell_all_after_an_outage_and_workers_tell_the_queue(tmp_path: Path) -> None:
    broker = f"sqla+sqlite:///{tmp_path}/broker.db"
    with owl(503) as found, fleet(tmp_path, broker, NIGHTOWL_PUSH=found.url, NIGHTOWL_CLUSTER="shop") as all_:
        all_.worker("prefork", "-c", "3")
        all_.call(f"for _ in range({TASKS}): shop.again.apply_async(queue='prefork')")
        log = tmp_path / "prefork.log"
        all_.until(lambda: log.read_text().count("shop.again[") >= TASKS, "not all have failed for good yet".upper)
        found.came.clear()
        found.statuses = [202]

        def retries() -> Counter[str]:
            return Counter(event["uuid"] for event in taken(found, "task-sent") if event["retries"])

        all_.until(lambda: list(retries().values()) == [2] * TASKS, retries, 25)
        all_.until(lambda: "NightOwl takes events again" in log.read_text(), log.read_text, 25)
        receipts = taken(found, "task-received")
    told = log.read_text()
    assert (told.count("NightOwl answers 503"), told.count("NightOwl takes events again")) == (1, 1), told
    assert len(receipts) == 3 * TASKS
    assert {(each["queue"], each["exchange"], each["routing_key"]) for each in receipts} == {("prefork", "", "prefork")}
