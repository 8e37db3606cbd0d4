"""The users that ``nightowl keys broker-permissions`` makes: their work, and nothing else for who steals one."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import tomli_w
from amqp import Message
from amqp.exceptions import AccessRefused
from click.testing import CliRunner
from kombu import Connection

from nightowl.adapters.celery_bus.app import EVALUATE, REPORT, BrokerSettings, check_queue
from nightowl.cli import main
from tests.services.bus_parts import Intake, acting, all_good, batch, directing, evaluating, portions, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open


class Installation:
    """Two locations over a broker whose users were made by the commands as they are printed."""

    def __init__(self, folder: Path, url: str, environment: dict[str, str]) -> None:
        mark = uuid.uuid4().hex[:8]
        self.locations = self.paris, self.tokyo = f"paris-{mark}", f"paris-{mark}-tokyo"
        self._director = f"owl-{mark}"
        self._folder, self._url = folder, url
        table = {"bus": {"broker": self._for(self._director, "x")}, "location": {name: {} for name in self.locations}}
        table |= {"rule": {"r": {"source": "s", "metric": "m", "above": 1}}}
        table |= {"source": {"s": {"kind": "files", "path": "samples"}}}
        path = folder / "nightowl.toml"
        path.write_text(tomli_w.dumps(table))
        self.printed = CliRunner().invoke(main, ["keys", "broker-permissions", "-c", str(path)]).output
        for _ in range(2):  # it may be run again
            done = subprocess.run(
                ["sh", "-e", "-c", self.printed],
                check=False, cwd=folder, env=environment, capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, f"{self.printed}\n{done.stdout}{done.stderr}"

    def _for(self, user: str, password: str) -> str:
        scheme, _, rest = self._url.partition("://")
        return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}"

    def director(self) -> BrokerSettings:
        return self._settings(self._director)

    def actor(self, location: str) -> BrokerSettings:
        return self._settings(f"nightowl-actor-{location}")

    def evaluator(self) -> BrokerSettings:
        return self._settings("nightowl-evaluator")

    def _settings(self, user: str) -> BrokerSettings:
        return BrokerSettings(url=self._for(user, self.password(user)))

    def password(self, user: str) -> str:
        return (self._folder / "passwords" / user).read_text().strip()


@pytest.fixture
def over_redis(tmp_path: Path, redis_url: str, redis_administrator: dict[str, str]) -> Installation:
    return Installation(tmp_path, redis_url, redis_administrator)


@pytest.fixture
def over_rabbitmq(tmp_path: Path, rabbitmq_url: str, rabbitmq_administrator: dict[str, str]) -> Installation:
    return Installation(tmp_path, rabbitmq_url, rabbitmq_administrator)


def works(installed: Installation) -> None:
    paris, tokyo = installed.locations
    with (
        acting(installed.actor(paris), [paris]) as first,
        acting(installed.actor(tokyo), [tokyo]) as second,
        directing(installed.director(), installed.locations) as bus,
        evaluating(installed.evaluator(), all_good) as evaluator,
    ):
        bus.ask(portions())
        bus.dispatch(batch("1.1", paris))
        bus.dispatch(batch("1.2", tokyo))
        Intake(bus).wait_for(outcomes=6)
        wait_for(lambda: bus.backlog(paris) == 0)
        wait_for(lambda: any(report.results for report in bus.told(100)))
        assert (bus.fault, first.fault, second.fault, evaluator.fault) == ("", "", "", "")


def keeps_passwords_to_itself(installed: Installation, folder: Path) -> None:
    for file in (folder / "passwords").iterdir():
        assert file.read_text().strip() not in installed.printed
        assert file.stat().st_mode & 0o077 == 0


@pytest.mark.rabbitmq
def test_rabbitmq_users_can_do_their_work_and_nothing_else(over_rabbitmq: Installation, tmp_path: Path) -> None:
    keeps_passwords_to_itself(over_rabbitmq, tmp_path)
    works(over_rabbitmq)
    paris, tokyo = map(check_queue, over_rabbitmq.locations)
    with directing(over_rabbitmq.director(), over_rabbitmq.locations) as bus:
        bus.led(False)
        bus.dispatch(batch("1.3", over_rabbitmq.tokyo))
        with Connection(over_rabbitmq.actor(over_rabbitmq.paris).url) as thief:
            for attack in rabbitmq_attacks(thief, paris, tokyo):
                with pytest.raises(AccessRefused):
                    attack()
            put(thief, "amq.direct", tokyo)  # goes nowhere
        with acting(over_rabbitmq.actor(over_rabbitmq.tokyo), [over_rabbitmq.tokyo]):
            bus.led(True)
            Intake(bus).wait_for(outcomes=3)


def rabbitmq_attacks(thief: Connection, paris: str, tokyo: str) -> Iterator[Callable[[], object]]:
    """What somebody tries with the user of Paris; each refusal costs a channel."""
    for queue in (tokyo, REPORT, EVALUATE):
        yield lambda queue=queue: thief.channel().basic_get(queue)
        yield lambda queue=queue: thief.channel().basic_consume(queue)
        yield lambda queue=queue: thief.channel().queue_purge(queue)
        yield lambda queue=queue: thief.channel().queue_bind(queue, "amq.direct", "mine")
        yield lambda queue=queue: put(thief, "", queue)
    for queue in (paris, tokyo, REPORT, "mine"):
        yield lambda queue=queue: thief.channel().queue_delete(queue)
        yield lambda queue=queue: thief.channel().queue_declare(queue, durable=True)
    yield lambda: put(thief, "amq.topic", tokyo)
    yield lambda: thief.channel().exchange_delete("amq.direct")
    yield lambda: thief.channel().exchange_declare("mine", "direct")


def put(connection: Connection, exchange: str, queue: str) -> None:
    """Publish and wait for what the broker says to it."""
    connection.channel().basic_publish_confirm(Message(b"forged"), exchange=exchange, routing_key=queue)


@pytest.mark.redis
def test_redis_users_can_do_their_work_and_nothing_else(over_redis: Installation, tmp_path: Path) -> None:
    keeps_passwords_to_itself(over_redis, tmp_path)
    works(over_redis)
    tokyo = check_queue(over_redis.tokyo)
    with redis.Redis.from_url(over_redis.director().url) as director:
        director.lpush(tokyo, "job")
    with redis.Redis.from_url(over_redis.actor(over_redis.paris).url) as thief:
        for command in redis_attacks(check_queue(over_redis.paris), tokyo):
            with pytest.raises(redis.exceptions.NoPermissionError):
                thief.execute_command(*command)
    with redis.Redis.from_url(over_redis.director().url) as director:
        assert director.lrange(tokyo, 0, -1) == [b"job"]


def redis_attacks(paris: str, tokyo: str) -> Iterator[tuple[str, ...]]:
    """What somebody tries with the user of Paris."""
    for key in (tokyo, REPORT, EVALUATE, "nightowl.unacked"):
        yield from (("BRPOP", key, "0.1"), ("RPOP", key), ("LRANGE", key, "0", "-1"), ("LLEN", key), ("GET", key))
        yield from (("DEL", key), ("UNLINK", key), ("LTRIM", key, "1", "0"), ("RENAME", key, paris), ("DUMP", key))
        yield from (("LMOVE", key, paris, "LEFT", "LEFT"), ("COPY", key, paris), ("EXPIRE", key, "1"), ("HGETALL", key))
        yield ("EVAL", "return redis.call('LLEN', KEYS[1])", "1", key)
    yield ("LPUSH", tokyo, "forged")
    yield ("DEL", paris)
    yield from (("KEYS", "*"), ("SCAN", "0"), ("FLUSHDB",), ("INFO",), ("MONITOR",), ("CONFIG", "GET", "*"))
    yield from (("ACL", "LIST"), ("CLIENT", "LIST"), ("SUBSCRIBE", "a"), ("PUBLISH", "a", "b"), ("SHUTDOWN",))


def test_a_broker_without_rights_by_location_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text('[bus]\nbroker = "mariadb+pymysql://owl:h0nk@db.example/owl"')
    done = CliRunner().invoke(main, ["keys", "broker-permissions", "-c", str(tmp_path / "nightowl.toml")])
    assert done.exit_code == 2
    assert 'bus.broker: found "mariadb+pymysql://owl:***@db.example/owl"' in done.output


def test_the_users_of_a_broker_to_come_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text("[location.sydney]")
    command = ["keys", "broker-permissions", "-c", str(tmp_path / "nightowl.toml"), "--broker"]
    assert "rabbitmqctl set_permissions" in CliRunner().invoke(main, [*command, "rabbitmq"]).output
    assert "ACL SETUSER nightowl-actor-sydney" in CliRunner().invoke(main, [*command, "redis"]).output
