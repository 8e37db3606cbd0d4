"""Locks and checkpoints in every place that can keep them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from celery import Celery

from nightowl_instrument import checkpoint, once
from nightowl_instrument.keepers import Keeper, keeper, place
from nightowl_instrument.periodic import LONGEST

PLACES = [
    "folder",
    "sqlite",
    pytest.param("redis", marks=pytest.mark.redis),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("postgresql", marks=pytest.mark.postgresql),
]


@pytest.fixture(params=PLACES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return f"file://{tmp_path}/locks"
    if request.param == "sqlite":
        return f"sqla+sqlite:///{tmp_path}/locks.db"
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found.replace("postgresql:", "postgresql+psycopg:").replace("mariadb:", "mariadb+pymysql:")


def test_one_has_a_lock_until_it_gives_it_back_or_it_ends(url: str) -> None:
    one, other = keeper(url), keeper(url)
    assert one.acquire("sweep", "a", 60.0)
    assert one.acquire("sweep", "a", 60.0)
    assert not other.acquire("sweep", "b", 60.0)
    assert other.acquire("another", "b", 60.0)
    other.release("sweep", "b")
    assert not other.acquire("sweep", "b", 60.0)
    one.release("sweep", "a")
    assert other.acquire("sweep", "b", 0.05)
    time.sleep(0.1)
    assert one.acquire("sweep", "a", 60.0)


def test_of_many_at_once_one_gets_it(url: str) -> None:
    keeper(url).acquire("first", "x", 1.0)  # tables are made
    got: list[int] = []

    def tries(number: int) -> None:
        if keeper(url).acquire("sweep", str(number), 60.0):
            got.append(number)

    threads = [threading.Thread(target=tries, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_texts_are_kept_and_forgotten(url: str) -> None:
    kept: Keeper = keeper(url)
    assert kept.load("export") is None
    for text in ('{"row": 1}', '{"row": 1}', '"🦉"'):
        kept.save("export", text)
    assert keeper(url).load("export") == '"🦉"'
    kept.forget("export")
    assert kept.load("export") is None


def test_a_job_runs_once_and_is_prolonged_while_it_runs(tmp_path: Path) -> None:
    keep = f"file://{tmp_path}"
    ran: list[str] = []

    @once("sweep", lasts=1.0, keep=keep)
    def sweep(who: str) -> str:
        ran.append(who)
        if who == "first":
            time.sleep(1.3)
            assert sweep("second") is None
        return who

    assert sweep("first") == "first"
    assert sweep("third") == "third"
    assert ran == ["first", "third"]


def test_a_long_job_goes_on_where_it_stopped(tmp_path: Path) -> None:
    keep = f"file://{tmp_path}"
    sent: list[int] = []

    def export(last: int) -> None:
        with checkpoint("export", keep=keep) as at:
            for row in range(at.value or 0, 10):
                if row == last:
                    raise RuntimeError("the worker is stopped")
                sent.append(row)
                at.save(row + 1)

    with pytest.raises(RuntimeError):
        export(4)
    export(99)
    assert sent == list(range(10))
    with checkpoint("export", keep=keep) as at:
        assert at.value is None
        with pytest.raises(ValueError, match="allowed are"):
            at.save("x" * LONGEST)


def test_where_nothing_can_be_kept_that_is_said() -> None:
    assert place(Celery(broker="redis://h/0", set_as_current=False), "") == "redis://h/0"
    with pytest.raises(ValueError, match="allowed is the URL of a Redis"):
        place(Celery(broker="memory://", set_as_current=False), "")
    with pytest.raises(ValueError, match="allowed is a second to a week"):
        once("x", lasts=0.0)
