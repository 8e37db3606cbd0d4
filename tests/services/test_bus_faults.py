"""Brokers that go away and come back, refuse the password, or are not there at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import pytest
import redis

from nightowl.adapters.celery_bus.app import BrokerSettings
from nightowl.adapters.celery_bus.knock import knock
from nightowl.core.errors import BusUnavailable
from nightowl.core.values import Job, Outcome
from tests.services.bus_parts import Intake, acting, batch, directing, up, wait_for

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]

SERVERS = [
    pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("redis", "rabbitmq", "mariadb", "postgresql")
]


@pytest.mark.parametrize("kind", SERVERS)
def test_both_sides_go_on_when_the_broker_comes_back(
    kind: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    server = request.getfixturevalue(f"own_{kind}")()
    settings = BrokerSettings(url=server.fresh_url())
    held: list[Callable[[], None]] = []

    def hold(job: Job, where: str, done: Callable[[Outcome], None]) -> None:
        held.append(lambda: up(job, where, done))

    with acting(settings, script=hold) as actor, directing(settings) as bus:
        intake, numbers = Intake(bus), count(2)
        bus.dispatch(batch("1.1"))
        wait_for(lambda: len(held) == 3)
        server.kill() if kind == "postgresql" else server.stop()  # that one waits for its clients
        wait_for(lambda: bus.fault and actor.fault, what=lambda: f"{bus.fault!r} {actor.fault!r}")
        for finish in held:
            finish()
        held.clear()
        with pytest.raises(BusUnavailable, match=f"127.0.0.1:{server.port} does not answer"):
            wait_for(lambda: bus.dispatch(batch(f"1.{next(numbers)}")))
        server.start()
        wait_for(lambda: not (bus.fault or actor.fault), 60, lambda: f"{bus.fault!r} {actor.fault!r}")
        intake.wait_for(outcomes=3)
        wait_for(lambda: len(held) >= 3)
        for finish in held:
            finish()
        intake.wait_for(outcomes=6)
    told = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(told) <= 4, [each.getMessage() for each in told]
    assert not any(each.exc_info for each in told)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_wrong_password_is_said_without_it(
    kind: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    scheme, _, rest = url.partition("://")
    settings = BrokerSettings(url=f"{scheme}://owl:h0nk-h0nk@{rest.rpartition('@')[2]}")
    if kind == "postgresql":
        pytest.skip("the tests' own server trusts everybody")
    with acting(settings) as actor, directing(settings) as bus:
        wait_for(lambda: bus.fault and actor.fault)
        wrong = "does not answer: " if kind == "mariadb" else "refuses the user owl: "
        assert all(wrong in fault for fault in (bus.fault, actor.fault, knock(settings)))
        assert "\n" not in bus.fault
    assert "h0nk" not in caplog.text + bus.fault + actor.fault


@pytest.mark.redis
def test_a_missing_permission_is_said_with_the_user_and_the_key(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.acl_setuser("timid", enabled=True, passwords=["+h0nk-h0nk"], categories=["+@connection"])
    scheme, _, rest = redis_url.partition("://")
    with directing(BrokerSettings(url=f"{scheme}://timid:h0nk-h0nk@{rest.rpartition('@')[2]}")) as bus:
        wait_for(lambda: bus.fault)
        assert " refuses the user timid: " in bus.fault
        assert "look at bus.broker (NIGHTOWL_BROKER)" in bus.fault
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.acl_deluser("timid")


@pytest.mark.redis
def test_a_password_in_the_place_of_a_user_is_not_shown(redis_url: str) -> None:
    scheme, _, rest = redis_url.partition("://")
    fault = knock(BrokerSettings(url=f"{scheme}://h0nk-h0nk@{rest.rpartition('@')[2]}"))
    assert " refuses the user default: " in fault
    assert "h0nk" not in fault


@pytest.mark.parametrize("scheme", ["redis", "amqp", "mysql+pymysql", "postgresql+psycopg"])
def test_a_host_that_is_not_there_is_named_once_and_waited_for(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    settings = BrokerSettings(url=f"{scheme}://owl:h0nk-h0nk@broker.invalid/1")
    with acting(settings) as actor, directing(settings) as bus:
        wait_for(lambda: bus.fault and actor.fault)
        assert bus.fault.startswith("the broker at broker.invalid does not answer: ")
        wait_for(lambda: len(actor._sender._waiting) > 1)
    told = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len(told) == 2, told  # one by each side
    assert "h0nk" not in caplog.text
