"""Real workers of every pool over a broker that is a folder, and the datagrams that they send."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightowl_instrument.address import ETHERNET
from tests.instrument.fleet import fleet

POOLS = ("prefork", "threads", "gevent", "solo")
FAMILIES = {"task_succeeded", "task_failed", "task_rejected"}
LINE = re.compile(r"(\w+):([\d.]+)\|(c|ms|g)\|#(.*)")


class Ear:
    """A StatsD that counts by name, task and queue, and keeps how many times and gauges it was told."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.times: Counter[tuple[str, str]] = Counter()
        self.gauges: dict[tuple[str, str], list[float]] = {}
        self.longest = 0
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while packet := self.socket.recv(65536):
            self.longest = max(self.longest, len(packet))
            for line in packet.decode().split("\n"):
                family, value, kind, labels = LINE.fullmatch(line).groups()
                told = dict(pair.split(":") for pair in labels.split(","))
                if kind == "g":
                    self.gauges.setdefault((family, told["hostname"]), []).append(float(value))
                elif kind == "ms":
                    self.times[family, told["queue_name"]] += 1
                else:
                    name = told["name"].rpartition(".")[2]
                    self.counts[family, name, told["queue_name"]] += round(float(value))


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    yield found
    found.socket.sendto(b"", found.socket.getsockname())
    found.thread.join(10)
    found.socket.close()


def expected(pool: str) -> dict[tuple[str, str, str], int]:
    return {
        ("task_sent", "add", pool): 21,
        ("task_sent", "boom", pool): 1,
        ("task_sent", "again", pool): 3,
        ("task_received", "add", pool): 20,  # Celery tells nothing of the receipt of what has expired
        ("task_received", "boom", pool): 1,
        ("task_received", "again", pool): 3,
        ("task_started", "add", pool): 20,
        ("task_started", "boom", pool): 1,
        ("task_started", "again", pool): 3,
        ("task_succeeded", "add", pool): 20,
        ("task_failed", "boom", pool): 1,
        ("task_failed", "again", pool): 1,
        ("task_retried", "again", pool): 2,
        ("task_revoked", "add", pool): 1,
    }


def test_a_reject_and_a_hard_time_limit_end_once(ear: Ear, tmp_path: Path) -> None:
    url = f"udp://127.0.0.1:{ear.socket.getsockname()[1]}?tags=dogstatsd&prefix="
    ends = {
        ("task_rejected", "refuse", "prefork"): 1,
        ("task_rejected", "refuse", "solo"): 1,
        ("task_failed", "doze", "prefork"): 1,
        ("task_succeeded", "add", "prefork"): 1,
        ("task_succeeded", "add", "solo"): 1,
    }
    with fleet(tmp_path, "filesystem://", NIGHTOWL_STATSD=url) as found:
        for pool in ("prefork", "solo"):
            found.worker(pool)
            found.call(f"shop.refuse.apply_async(queue='{pool}')")
        found.call("shop.doze.apply_async((30,), queue='prefork', time_limit=1)")
        found.until(lambda: ear.counts["task_failed", "doze", "prefork"], lambda: ear.counts)
        found.call("for pool in ('prefork', 'solo'): shop.add.apply_async((1, 1), queue=pool)")
        found.until(lambda: ear.counts["task_succeeded", "add", "prefork"] == 1, lambda: ear.counts)
        found.stop()
    assert {key: count for key, count in ear.counts.items() if key[0] in FAMILIES} == ends


def test_statsd_is_told_of_every_stage_by_workers_of_every_pool(ear: Ear, tmp_path: Path) -> None:
    url = f"udp://127.0.0.1:{ear.socket.getsockname()[1]}?tags=dogstatsd&prefix="
    with fleet(tmp_path, "filesystem://", NIGHTOWL_STATSD=url) as found:
        for pool in POOLS:
            found.worker(pool)
        found.call(f"for pool in {POOLS}: shop.load(pool)")
        wanted = Counter({key: count for pool in POOLS for key, count in expected(pool).items()})
        found.until(lambda: ear.counts == wanted, lambda: f"missing {wanted - ear.counts}, more {ear.counts - wanted}")
        found.until(lambda: len(ear.gauges) == 4 * len(POOLS), ear.gauges.keys)
        found.stop()
        ends = [("worker_tasks_active", f"{pool}@web-1") for pool in POOLS]
        found.until(lambda: all(ear.gauges[end][-1] == 0 for end in ends), lambda: ear.gauges)
    for pool in POOLS:
        assert (ear.times["task_queue_wait_time", pool], ear.times["task_runtime", pool]) == (24, 20)
        assert min(ear.gauges["worker_memory_bytes", f"{pool}@web-1"]) > 10e6
    assert ear.longest <= ETHERNET
