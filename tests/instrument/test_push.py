"""Events on their way to NightOwl: their bodies, and what is done when it cannot take them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl_instrument.push import DROPPED, Pushing, bodies, destination
from tests.instrument.receiver import owl

VALUES = st.one_of(st.none(), st.text(max_size=50), st.integers(-(2**60), 2**60), st.floats(), st.booleans())
FIELDS = st.dictionaries(st.sampled_from(["x", "x_1"]), VALUES, max_size=4)
EVENTS = st.lists(FIELDS.map(lambda fields: {**fields, "type": "task-sent", "uuid": "1"}), max_size=30)


@given(EVENTS, st.integers(50, 5000))
def test_bodies_hold_all_events_in_order_and_are_json_that_nightowl_takes(
    events: list[dict[str, Any]], largest: int
) -> None:
    found = bodies(events, largest)
    assert [each["uuid"] for body in found for each in json.loads(body)] == ["1"] * len(events)
    for body in found:
        assert len(body) <= largest or len(json.loads(body)) == 1
        sieve = Sieve()
        assert sieve.take(body)


def event(number: int) -> dict[str, Any]:
    return {"type": "task-received", "uuid": str(number), "args": "x" * 100}


def test_events_go_where_they_belong_with_the_token_and_compressed() -> None:
    with owl(202) as found:
        carrier = Pushing(destination(found.url, "owl_secret", "shop/1"))
        assert carrier.carry([event(number) for number in range(20)], 0) == 0.0
        carrier.reset()
    ((events, told),) = found.came
    assert [each["uuid"] for each in events] == [str(number) for number in range(20)]
    assert told["path"] == "/owl/api/v1/clusters/shop%2F1/events"
    assert told["Authorization"] == "Bearer owl_secret"
    assert told["Content-Encoding"] == "gzip"
    assert DROPPED not in told


def test_what_is_not_taken_is_sent_again_and_what_was_dropped_is_told_once() -> None:
    with owl(503, 429, 202) as found:
        carrier = Pushing(destination(found.url, "", "shop"))
        assert carrier.carry([event(1)], 0) > 0.0
        assert carrier.carry([event(1)], 3) > 0.0
        assert carrier.carry([event(1)], 4) == 0.0
        assert carrier.carry([event(2)], 0) == 0.0
        carrier.reset()
    assert [events[0]["uuid"] for events, _ in found.came] == ["1", "1", "1", "2"]
    assert [told.get(DROPPED, "0").split(" since ")[0] for _, told in found.came] == ["0", "3", "4", "0"]


@pytest.mark.parametrize(("status", "comes"), [(401, ["1", "1", "2"]), (422, ["1", "2"])])
def test_a_wrong_token_is_tried_slowly_and_a_list_that_is_never_taken_is_given_up(
    status: int, comes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with owl(status, 202) as found:
        carrier = Pushing(destination(found.url, "", "shop"))
        wait = carrier.carry([event(1)], 0)
        assert wait == (30.0 if status == 401 else 0.0)
        assert not wait or carrier.carry([event(1)], 0) == 0.0
        assert carrier.carry([event(2)], 0) == 0.0
        carrier.reset()
    assert [events[0]["uuid"] for events, _ in found.came] == comes
    assert caplog.text.count(f"answers {status}") == 1


def test_an_unreachable_nightowl_is_told_to_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    carrier = Pushing(destination("http://127.0.0.1:1", "", "shop"))
    assert 0.0 < carrier.carry([event(1)], 0) < carrier.carry([event(1)], 0)
    assert caplog.text.count("cannot be reached at http://127.0.0.1:1/api/v1/clusters/shop/events: ") == 1


def test_the_log_names_the_address_and_no_token_and_tells_once_that_all_is_well_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with owl(202, 404, 404, 202) as found:
        carrier = Pushing(destination(found.url, "owl_secret", "shop/1"))
        for number in range(6):
            carrier.carry([event(number)], 0)
        carrier.reset()
    where = f"{found.url}api/v1/clusters/shop%2F1/events"
    assert [record.message for record in caplog.records] == [
        f"NightOwl answers 404 to events at {where}: ",
        f"NightOwl takes events again at {where}",
    ]
    assert "owl_secret" not in caplog.text


def test_processes_of_a_pool_leave_the_telling_to_their_worker(caplog: pytest.LogCaptureFixture) -> None:
    carrier = Pushing(destination("http://127.0.0.1:1", "", "shop"))
    carrier.be_quiet()  # a pool that forks nothing says that its process begins, too
    carrier.carry([event(1)], 0)
    assert len(caplog.records) == 1
    carrier.reset()
    carrier.be_quiet()
    carrier.carry([event(1)], 0)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("url", "token", "cluster"),
    [("owl", "", "shop"), ("http://u:p@h", "", "shop"), ("http://h", "a\nb", "shop"), ("http://h", "", "")],
)
def test_a_destination_that_cannot_be_meant_is_refused(url: str, token: str, cluster: str) -> None:
    with pytest.raises(ValueError, match="push: "):
        destination(url, token, cluster)
