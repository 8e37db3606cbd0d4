"""The page that Prometheus scrapes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from nightowl.adapters.sinks.prometheus import Prometheus
from nightowl.core.errors import DeliveryFailed
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample

SAMPLES = [Sample("jobs_total", (("cluster", "shop"),), 1.0, 5.0)]


def settings(port: int) -> SinkSettings:
    return SinkSettings(name="p", kind="prometheus", address=f"127.0.0.1:{port}", prefix="owl_", labels={"env": "prod"})


@pytest.fixture
def page() -> Iterator[Prometheus]:
    made = Prometheus(settings(0))
    yield made
    made.close()


def got(page: Prometheus, path: str = "/metrics", accept: str = "*/*") -> tuple[str, str]:
    request = Request(f"http://127.0.0.1:{page.port}{path}", headers={"Accept": accept})
    with urlopen(request, timeout=5) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_the_newest_snapshot_is_served_in_the_format_that_is_asked_for(page: Prometheus) -> None:
    page.emit(SAMPLES, time.time())
    kind, text = got(page)
    assert kind.startswith("text/plain; version=0.0.4")
    assert text == '# TYPE owl_jobs_total counter\nowl_jobs_total{cluster="shop",env="prod"} 5.0\n'
    kind, text = got(page, accept="application/openmetrics-text;version=1.0.0")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text == '# TYPE owl_jobs counter\nowl_jobs_total{cluster="shop",env="prod"} 5.0\n# EOF\n'


def test_a_snapshot_of_long_ago_is_not_served_as_if_it_were_new(page: Prometheus) -> None:
    page.emit(SAMPLES, time.time() - 600)
    with pytest.raises(HTTPError, match="503"):
        got(page)


def test_there_is_nothing_else(page: Prometheus) -> None:
    with pytest.raises(HTTPError, match="404"):
        got(page, "/")


def test_an_address_that_is_taken_is_told(page: Prometheus) -> None:
    with pytest.raises(DeliveryFailed, match="address already in use"):
        Prometheus(settings(page.port))


def test_a_counter_that_is_new_is_served_at_0_until_it_was_scraped_once(page: Prometheus) -> None:
    new = [*SAMPLES, Sample("jobs_total", (("cluster", "shop"), ("name", "new")), 1.0, 5.0)]
    page.emit(SAMPLES, time.time())
    got(page)
    page.emit(new, time.time())
    page.emit(new, time.time())
    for _ in range(2):
        assert 'name="new"} 0.0' in got(page)[1]
    page.emit(new, time.time())
    assert 'name="new"} 5.0' in got(page)[1]
