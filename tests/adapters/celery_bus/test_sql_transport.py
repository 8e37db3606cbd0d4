"""The broker in a database: what is taken stays until it is acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest
from celery import Celery

from nightowl.adapters.celery_bus.app import BrokerSettings, make_app
from nightowl.adapters.celery_bus.sql_transport import MESSAGES, RETURN, Channel


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Celery]:
    made = make_app(BrokerSettings(url=f"sqlite:///{tmp_path}/bus.db"))
    yield made
    made.close()


@pytest.fixture
def alice(app: Celery) -> Iterator[Channel]:
    with app.connection_for_read() as connection, connection.channel() as channel:
        yield channel


@pytest.fixture
def bob(app: Celery) -> Iterator[Channel]:
    with app.connection_for_read() as connection, connection.channel() as channel:
        yield channel


def put(channel: Channel, *bodies: str) -> None:
    for body in bodies:
        channel.basic_publish(channel.prepare_message(body), exchange="", routing_key="work")


def get(channel: Channel) -> str | None:
    message = channel.basic_get("work")
    if message is None:
        return None
    channel.last = message
    return str(message.body.decode())


def test_each_message_goes_to_one_consumer_in_order(alice: Channel, bob: Channel) -> None:
    put(alice, "1", "2", "3")
    assert [get(alice), get(bob), get(alice), get(bob)] == ["1", "2", "3", None]


def test_what_is_acknowledged_is_gone(alice: Channel, bob: Channel) -> None:
    put(alice, "1")
    get(alice)
    alice.last.ack()
    alice.close()
    assert get(bob) is None
    assert bob._database.execute(MESSAGES.select()).all() == []


def test_what_a_closing_consumer_holds_goes_to_another(alice: Channel, bob: Channel) -> None:
    put(alice, "1")
    get(alice)
    assert get(bob) is None
    alice.close()
    assert get(bob) == "1"


def test_what_is_refused_with_requeue_comes_again(alice: Channel, bob: Channel) -> None:
    put(alice, "1")
    get(alice)
    alice.last.requeue()
    alice._write_settled()
    assert get(bob) == "1"


def test_what_a_dead_consumer_held_goes_to_another_after_a_while(alice: Channel, bob: Channel) -> None:
    put(alice, "1")
    get(alice)
    bob._active_queues.append("work")
    bob._returned -= RETURN
    bob._give_back_forgotten()
    assert get(bob) is None, "it is not forgotten yet"
    alice._database.exec_driver_sql("UPDATE nightowl_message SET taken = datetime(taken, '-61 seconds')")
    bob._returned -= RETURN
    bob._give_back_forgotten()
    assert get(bob) == "1"


def test_a_queue_counts_what_nobody_has_taken(alice: Channel) -> None:
    put(alice, "1", "2")
    get(alice)
    assert alice.queue_declare("work", passive=True).message_count == 1


def test_a_row_that_is_no_message_is_dropped(alice: Channel) -> None:
    alice._database.execute(MESSAGES.insert().values(queue="work", payload="h0nk"))
    put(alice, "1")
    with pytest.raises(Empty):
        alice._take(["work"], 1)
    assert get(alice) == "1"
