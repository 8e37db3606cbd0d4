"""The rights that docs/security.md gives to the broker's user: enough to watch, and no more."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import amqp
import pytest
import redis
from kombu import Connection

from tests.services.bus_parts import wait_for
from tests.services.watching_parts import DEADLINE, SHOP, Watching, sending, watching, worker

PAGE = (Path(__file__).parents[2] / "docs/security.md").read_text().partition("### What the broker's user needs")[2]
WATCH_REDIS, CONTROL_REDIS, WATCH_RABBITMQ, CONTROL_RABBITMQ = (
    block.replace("$ ", "", 1) for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)[:4]
)
OWL = f"owl-{uuid.uuid4().hex[:8]}"
PASSWORD = "hoot-77"


def run(command: str, environment: dict[str, str], **names: str) -> None:
    """Type a command of the page."""
    done = subprocess.run(
        ["sh", "-ec", command],
        check=False, env=environment | {"OWL": OWL, "OWL_PASSWORD": PASSWORD} | names, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERR" not in done.stdout


def has_done(found: Watching, name: str, send: Callable[[], object]) -> None:
    """Wait until a task of this name was seen from its sending to its end."""
    wait_for(found.hears, DEADLINE)

    def done() -> bool:
        send()
        return found.done(name)

    wait_for(done, DEADLINE, found.missing)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A folder for each watcher."""

    def folder(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        monkeypatch.setenv("STATE_DIRECTORY", str(path))
        return path

    return folder


@pytest.mark.redis
def test_what_a_user_of_redis_may(redis_url, redis_administrator, state):
    database = redis_url.rpartition("/")[2]
    url = redis_url.replace("://", f"://{OWL}:{PASSWORD}@")
    configuration = f'[cluster.shop]\nbroker = "{url}"\n'
    with worker(redis_url), sending(redis_url) as app:
        run(WATCH_REDIS, redis_administrator, DATABASE=database)
        with watching(state("watching"), configuration) as found:
            has_done(found, "pay", lambda: app.send_task(f"{SHOP}.pay", [1]))
            wait_for(found.measures, DEADLINE)
            wait_for(lambda: "no permissions" in found.missing(), DEADLINE)
        run(CONTROL_REDIS, redis_administrator, DATABASE=database)
        with watching(state("control"), configuration) as found:
            wait_for(found.asks, DEADLINE, found.missing)
            assert "refuses" not in found.missing()
    with redis.Redis.from_url(url) as client:
        for forbidden in (
            lambda: client.rpop("orders"),
            lambda: client.lpush("orders", "x"),
            lambda: client.delete("unacked"),
            lambda: client.srem("_kombu.binding.orders", "x"),
            lambda: client.publish(f"/{database}.celeryev/task.sent", "x"),
            client.flushdb,
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                forbidden()


@pytest.mark.rabbitmq
def test_what_a_user_of_rabbitmq_may(rabbitmq_url, rabbitmq_administrator, state):
    host = rabbitmq_url.rpartition("/")[2]
    run(f"rabbitmqctl add_user {OWL} {PASSWORD}", rabbitmq_administrator)
    url = rabbitmq_url.replace("guest:guest", f"{OWL}:{PASSWORD}")
    configuration = f'[cluster.shop]\nbroker = "{url}"\n'
    with worker(rabbitmq_url), sending(rabbitmq_url) as app:
        run(WATCH_RABBITMQ, rabbitmq_administrator, VHOST=host)
        with watching(state("watching"), configuration) as found:
            has_done(found, "pay", lambda: app.send_task(f"{SHOP}.pay", [1]))
            wait_for(found.measures, DEADLINE)
            wait_for(lambda: "refuses" in found.missing(), DEADLINE)
        run(CONTROL_RABBITMQ, rabbitmq_administrator, VHOST=host)
        with watching(state("control"), configuration) as found:
            wait_for(found.asks, DEADLINE, found.missing)
            assert "refuses" not in found.missing()
    for forbidden in (
        lambda channel: channel.basic_get("orders"),
        lambda channel: channel.queue_purge("orders"),
        lambda channel: channel.queue_delete("orders"),
        lambda channel: channel.queue_declare("mine"),
        lambda channel: channel.basic_publish_confirm(amqp.Message("x"), exchange="", routing_key="orders"),
    ):
        with Connection(url) as connection, pytest.raises(amqp.AccessRefused):
            forbidden(connection.channel())
