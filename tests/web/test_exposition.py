"""What machines ask without signing in."""

import re

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.errors import StoreUnavailable
from nightowl.core.exposition import exposition
from nightowl.core.values import Sample

LINE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? \S+$')


def test_ready_says_what_cannot_be_reached(client, world):
    assert client.get("/ready").json() == {"ready": True, "problems": []}
    world.unreachable.append("The broker cannot be reached: amqp://rabbit.")
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The broker cannot be reached: amqp://rabbit."]
    world.unreachable.clear()
    assert client.get("/ready").status_code == 200


def test_a_mistake_in_the_files_is_told_on_pages_but_does_not_end_readiness(client, world):
    world.problems.append("The configuration was not reloaded.")
    assert client.get("/ready").status_code == 200
    assert "The configuration was not reloaded." in client.get("/").text


def test_a_store_that_does_not_answer_is_named_and_health_still_answers(world, monkeypatch):
    def fail():
        raise StoreUnavailable("the store does not answer: connection refused")

    client = world.client()
    monkeypatch.setattr(world.store, "ping", fail)
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the store does not answer: connection refused"])
    assert client.get("/health").text == client.get("/healthcheck").text == "OK"
    assert client.get("/healthcheck").headers["content-type"] == "text/html; charset=utf-8"  # as Flower has it


def test_metrics_tell_the_last_round_of_each_check_and_location(client):
    lines = client.get("/metrics").text.splitlines()
    assert 'check_up{check="shop-checkout",location="london"} 0.0' in lines
    assert 'check_up{check="intranet-wiki",location="office"} 0.0' in lines
    assert 'check_up{check="intranet-wiki",location="london"} 1.0' in lines
    assert any(
        line.startswith('check_duration_seconds{check="shop-front",location="office",phase="tls"}') for line in lines
    )
    assert any(line.startswith("check_certificate_expiry_seconds{") for line in lines)
    assert not any("vpn-gateway" in line and 'location="office"' in line for line in lines)


def test_one_cluster_is_shown_with_flowers_families_where_they_are_asked_for(watched):
    page = watched.client().get
    assert page("/metrics/cluster/shop").text == "# metrics of shop\n"
    assert page("/metrics/cluster/shop?flower=1").text == "# metrics of shop with those of Flower\n"
    assert page("/metrics/cluster/other?flower=1").status_code == 404


def test_other_series_are_shown_with_their_labels_escaped(client):
    assert 'nightowl_queue_length{location="a\\"b\\\\c"} 3.0' in client.get("/metrics").text


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False)), max_size=5))
def test_any_label_gives_lines_that_can_be_read(found):
    samples = [Sample("queue", (("name", text),), 0.0, value) for text, value in found]
    text = exposition([], samples)
    lines = text.split("\n")
    assert lines.pop() == ""
    assert all(line.startswith("# TYPE queue ") or LINE.match(line) for line in lines)


def test_each_family_has_one_head(client):
    heads = re.findall(r"^# TYPE (\S+)", client.get("/metrics").text, re.MULTILINE)
    assert len(heads) == len(set(heads))


def test_metrics_that_are_served_elsewhere_are_not_served_here(world):
    client = world.client(metrics_elsewhere=True)
    assert client.get("/metrics").status_code == 404
    assert client.get("/health").status_code == 200
