"""The private servers themselves: fresh for each test, restartable, and gone with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import kombu
import pytest
import redis
import sqlalchemy

ROOT = Path(__file__).parents[2]
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-c",
    ROOT / "pyproject.toml",
    "-p",
    "tests.conftest",
    "-p",
    "no:cacheprovider",
]
"""A run beside this one, with the fixtures of this one; programs and servers of its own."""


def put(url: str) -> None:
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            client.set("left", "behind")
    elif url.startswith("amqp"):
        with kombu.Connection(url) as connection:
            connection.SimpleQueue("left").put("behind")
    else:
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE left_behind (x INTEGER)"))
            connection.execute(sqlalchemy.text("INSERT INTO left_behind VALUES (1)"))


def holds_something(url: str) -> bool:
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            return bool(client.dbsize())
    if url.startswith("amqp"):
        with kombu.Connection(url) as connection:
            return connection.SimpleQueue("left").qsize() > 0
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    return sqlalchemy.inspect(engine).has_table("left_behind")


each_server = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("redis", "rabbitmq", "mariadb", "postgresql")],
)


@each_server
@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_finds_its_database_empty(kind, turn, request):
    url = request.getfixturevalue(f"{kind}_url")
    assert not holds_something(url)
    put(url)
    assert holds_something(url)


@each_server
def test_a_server_of_ones_own_keeps_its_data_over_a_restart(kind, request):
    server = request.getfixturevalue(f"own_{kind}")()
    url = server.fresh_url()
    put(url)
    server.stop()
    assert not server.answers()
    server.start()
    assert holds_something(url)


@pytest.mark.redis
def test_a_killed_server_is_gone_at_once_and_can_come_back(own_redis):
    server = own_redis()
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()


@pytest.mark.redis
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_killed_leaves_no_server_behind(number, tmp_path):
    tests = tmp_path / "test_inner.py"
    tests.write_text(
        "import pathlib, time\n"
        "def test_hang(redis_url):\n"
        f"    pathlib.Path({str(tmp_path / 'unfinished')!r}).write_text(redis_url)\n"
        f"    pathlib.Path({str(tmp_path / 'unfinished')!r}).rename({str(tmp_path / 'url')!r})\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([*PYTEST, tests], cwd=ROOT, stdout=subprocess.DEVNULL, env=environment(tmp_path)) as run:
        eventually((tmp_path / "url").exists)
        url = (tmp_path / "url").read_text()
        run.send_signal(number)
    eventually(lambda: not answers(url))
    eventually(lambda: not list(tmp_path.glob("nightowl-tests-*")))


@pytest.mark.parametrize(
    ("ci", "status", "said"), [("", 0, "1 left out: needs no-such-server"), ("true", 1, "Failed: needs no-such-server")]
)
def test_without_its_program_a_test_is_left_out_and_under_ci_fails(ci, status, said, tmp_path):
    tests = tmp_path / "test_inner.py"
    tests.write_text(
        "import pytest\n"
        "from tests.servers import programs\n"
        "programs.NEEDS['redis'] = ('no-such-server',)\n"
        "@pytest.mark.redis\n"
        "def test_of_redis(redis_url): ...\n"
    )
    done = subprocess.run(
        [*PYTEST, tests], check=False, cwd=ROOT, capture_output=True, text=True, env=environment(tmp_path, ci)
    )
    assert (done.returncode, said in done.stdout) == (status, True), done.stdout


def environment(tmp_path: Path, ci: str = "") -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return inherited | {"TMPDIR": str(tmp_path), "CI": ci}


def answers(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        try:
            return client.ping()
        except redis.ConnectionError:
            return False


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
