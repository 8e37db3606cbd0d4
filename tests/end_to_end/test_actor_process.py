"""The actor's processes: how they start, how they end, and what they leave behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis
import tomli_w

from nightowl.adapters.celery_bus.app import BrokerSettings, check_queue
from nightowl.core.values import Batch, Job, Network, Policy, State, Target
from tests.end_to_end.shop_server import ShopServer
from tests.services.bus_parts import CLOCK, KEY_TEXT, Intake, directing, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

OPEN = Policy(reach="private", allow=(Network("127.0.0.0/8"),))


@pytest.fixture
def files(tmp_path: Path) -> str:
    return f"filesystem://{tmp_path}/bus"


@contextmanager
def actor(folder: Path, broker: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    path = folder / "nightowl.toml"
    path.write_text(tomli_w.dumps({"bus": {"broker": broker}, "location": {"london": {"key": KEY_TEXT}}}))
    with actor_without_file(folder, {}, "-c", str(path), *arguments) as started:
        yield started


@contextmanager
def actor_without_file(folder: Path, given: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "nightowl", "actor", "--location", "london", *arguments]
    with (folder / "actor.log").open("ab") as log:
        environment = os.environ | {"STATE_DIRECTORY": str(folder)} | given
        started = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def batch(id_: str, port: int, jobs: int = 20) -> Batch:
    now = CLOCK.now()
    work = tuple(
        Job(
            check=f"check-{n}", due=round(now, 3), deadline=now + 60, attempts=1,
            target=Target(kind="http", url=f"http://127.0.0.1:{port}/{n}"),
        )
        for n in range(jobs)
    )  # fmt: skip
    return Batch(id=id_, location="london", issued=now, expires=now + 60, jobs=work, policy=OPEN)


def log(folder: Path) -> str:
    return (folder / "actor.log").read_text()


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def alive(intake: Intake, count: int) -> Callable[[], bool]:
    def heard() -> bool:
        intake.take()
        return len(intake.actors) >= count

    return heard


def test_a_stopped_actor_finishes_and_reports_what_it_holds(tmp_path: Path, broker: str) -> None:
    settings = BrokerSettings(url=broker)
    with ShopServer(delay=1.5) as shop, actor(tmp_path, broker) as process, directing(settings) as bus:
        intake = Intake(bus)
        wait_for(alive(intake, 1), 60, lambda: log(tmp_path))
        bus.dispatch(batch("1.1", shop.port))
        wait_for(lambda: shop.hits.total() == 20, what=lambda: log(tmp_path))
        process.send_signal(signal.SIGTERM)
        intake.wait_for(outcomes=20)
        assert {outcome.state for outcome in intake.outcomes} == {State.UP}
        assert process.wait(30) == 0
        bus.dispatch(batch("1.2", shop.port))
        with actor(tmp_path, broker):
            intake.wait_for(outcomes=40)
        assert shop.hits.total() == 40, "nothing was delivered twice"
    assert "Traceback" not in log(tmp_path)
    assert "ERROR" not in log(tmp_path)


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("redis", "rabbitmq", "mariadb")]
)
def test_an_actor_goes_on_when_its_broker_comes_back(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    server = request.getfixturevalue(f"own_{kind}")()
    url = server.fresh_url()
    with ShopServer(delay=1.0) as shop, actor(tmp_path, url), directing(BrokerSettings(url=url)) as bus:
        intake = Intake(bus)
        wait_for(alive(intake, 1), 60, lambda: log(tmp_path))
        bus.dispatch(batch("1.1", shop.port))
        wait_for(lambda: shop.hits.total() == 20, what=lambda: log(tmp_path))
        server.stop()
        wait_for(lambda: bus.fault and "does not answer" in log(tmp_path), 60, lambda: log(tmp_path))
        server.start()
        wait_for(lambda: not bus.fault and "answers again" in log(tmp_path), 60, lambda: log(tmp_path))
        intake.wait_for(outcomes=20)
        bus.dispatch(batch("1.2", shop.port))
        intake.wait_for(outcomes=40)
    assert "Traceback" not in log(tmp_path)


def test_a_killed_process_is_started_again(tmp_path: Path, files: str) -> None:
    with actor(tmp_path, files, "--processes", "2") as crew, directing(BrokerSettings(url=files)) as bus:
        intake = Intake(bus)
        wait_for(alive(intake, 2), 60, lambda: log(tmp_path))
        first, second = children(crew.pid)
        os.kill(first, signal.SIGKILL)
        wait_for(alive(intake, 3), 60, lambda: log(tmp_path))
        assert first not in children(crew.pid)
        assert second in children(crew.pid)
        crew.send_signal(signal.SIGTERM)
        assert crew.wait(30) == 0


def test_the_processes_end_with_the_one_that_started_them(tmp_path: Path, files: str) -> None:
    with actor(tmp_path, files, "--processes", "2") as crew, directing(BrokerSettings(url=files)) as bus:
        wait_for(alive(Intake(bus), 2), 60, lambda: log(tmp_path))
        orphans = children(crew.pid)
        os.kill(crew.pid, signal.SIGKILL)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in orphans), what=lambda: log(tmp_path))
    assert "Traceback" not in log(tmp_path)


def members(group: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("part", range(6))
def test_a_signal_to_all_processes_at_once_ends_all_at_any_moment_of_their_start(
    tmp_path: Path, files: str, part: int
) -> None:
    moment = (part + random.random()) / 3.0
    with actor(tmp_path, files, "--processes", "2") as crew:
        time.sleep(moment)
        os.killpg(crew.pid, signal.SIGTERM)
        wait_for(lambda: crew.poll() is not None and not members(crew.pid), 30, lambda: f"{moment}: {log(tmp_path)}")
        assert crew.returncode in (0, -signal.SIGTERM), "it was told before it could hear, or it heard"
    assert "starting another" not in log(tmp_path)
    assert "Traceback" not in log(tmp_path)


def test_signals_without_end_do_not_keep_a_role_from_ending(tmp_path: Path, files: str) -> None:
    with actor(tmp_path, files) as crew, directing(BrokerSettings(url=files)) as bus:
        wait_for(alive(Intake(bus), 1), 60, lambda: log(tmp_path))

        def gone() -> bool:
            with suppress(ProcessLookupError):
                os.killpg(crew.pid, signal.SIGTERM)
            return crew.poll() is not None and not members(crew.pid)

        wait_for(gone, 30, lambda: log(tmp_path))
        assert crew.returncode in (0, -signal.SIGTERM), "one that comes as Python is about to leave is not caught"
    assert "Traceback" not in log(tmp_path)


def test_a_stop_is_quick_while_the_broker_is_away(tmp_path: Path) -> None:
    with actor(tmp_path, "redis://127.0.0.1:1/0") as crew:
        wait_for(lambda: "does not answer" in log(tmp_path), 60, lambda: log(tmp_path))
        begun = time.monotonic()
        crew.send_signal(signal.SIGTERM)
        assert crew.wait(30) == 0
        assert time.monotonic() - begun < 15, "it ended by itself, it was not killed"
    assert log(tmp_path).count("does not answer") == 1
    assert "Traceback" not in log(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--location", "atlantis"], "--location: found atlantis, allowed: one of london"),
        (["--config", "missing.toml"], "missing.toml"),
    ],
)
def test_a_wrong_configuration_is_one_message_and_status_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    with actor(tmp_path, "memory://", *arguments) as process:
        assert process.wait(60) == 2
    assert said in log(tmp_path)
    assert "Traceback" not in log(tmp_path)


@pytest.mark.redis
def test_an_actor_needs_a_broker_and_a_key_and_no_file(tmp_path: Path, redis_url: str) -> None:
    given = {"NIGHTOWL_BROKER": redis_url, "NIGHTOWL_LOCATION_KEY": KEY_TEXT}
    with ShopServer(delay=0.0) as shop, directing(BrokerSettings(url=redis_url)) as bus:
        bus.dispatch(batch("1.1", shop.port))
        wait_for(lambda: queued(redis_url))
        assert b"http://" not in b"".join(queued(redis_url)), "the broker holds nothing that can be read"
        with actor_without_file(tmp_path, given) as crew:
            intake = Intake(bus)
            intake.wait_for(outcomes=20, seconds=60)
            (first,) = children(crew.pid)
            assert KEY_TEXT not in argv(crew.pid) + argv(first)
            os.kill(first, signal.SIGKILL)
            wait_for(alive(intake, 2), 60, lambda: log(tmp_path))
            bus.dispatch(batch("1.2", shop.port))
            intake.wait_for(outcomes=40, seconds=60)
            assert first not in children(crew.pid)
        assert {outcome.state for outcome in intake.outcomes} == {State.UP}
    assert KEY_TEXT not in log(tmp_path)
    assert "Traceback" not in log(tmp_path)


def queued(url: str) -> list[bytes]:
    with redis.Redis.from_url(url) as client:
        return list(client.lrange(check_queue("london"), 0, -1))


def argv(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def test_files_for_tls_that_cannot_be_used_are_one_message_and_status_2(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    (tmp_path / "nightowl.toml").write_text(
        '[bus]\nbroker = "rediss://:h0nk@localhost:1/0"\nca = "ca.pem"\n[location.london]'
    )
    done = subprocess.run(
        [sys.executable, "-m", "nightowl", "actor", "--location", "london"],
        check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "bus.ca: found" in done.stderr
    assert "Traceback" not in done.stderr
    assert "h0nk" not in done.stderr
