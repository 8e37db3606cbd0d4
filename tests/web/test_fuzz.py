"""Requests that nobody foresaw: whatever comes, from whomever, no answer is a 500."""

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightowl.testing.store import memory_store, memory_tasks

JSON = {"content-type": "application/json"}
ODD = ["http://[", "\0", "\ud800", "..", "%", "owl_"]
TEXTS = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(ODD)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "url",
        "every",
        "name",
        "role",
        "lasts",
        "password",
        "expect",
        "headers",
        "tags",
        "metric",
        "above",
        "rule",
        "last",
    ]
)


@pytest.fixture(scope="module")
def open_client():
    import importlib.util  # noqa: PLC0415
    import sys  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("fuzzed", Path(__file__).with_name("conftest.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzzed"] = module
    spec.loader.exec_module(module)
    store, tasks = memory_store(), memory_tasks()
    module.scene.fill(store, module.NOW, more=0)
    world = module.World(store, tasks)
    world.clusters |= module.cluster_scene.CLUSTERS
    module.cluster_scene.fill(store, tasks, module.NOW)
    yield world.client()
    store.close()
    tasks.close()


@pytest.mark.parametrize(
    "body",
    [
        '{"url": "\\ud800"}', '{"url": ' + "[" * 900 + "]" * 900 + "}", "[" * 100_000, '{"every": NaN}',
        '{"every": 1e999}', '{"attempts": ' + "9" * 5000 + "}", '{"url": "\\u0000"}', "{", "", "\xff",
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_kept_is_refused_in_a_sentence(client, body):
    answer = client.put("/api/v1/checks/odd", content=body.encode("latin-1"), headers=JSON)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


def test_an_address_that_is_none_is_refused(client):
    assert client.get("/live?page=http://[").status_code == 204
    assert client.get("/checks/%00").status_code == 400
    assert client.post("/api/v1/checks/shop-front/run", headers={"origin": "http://["}).status_code == 403


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_request_is_answered_by_a_500(open_client, data):
    described = open_client.app.openapi()["paths"]
    path = data.draw(st.sampled_from(sorted(described.keys() - {"/api/v1/events"})))  # which would never end
    method = data.draw(st.sampled_from(sorted(described[path])))
    part = quote(data.draw(TEXTS).encode(errors="surrogatepass"), safe="")
    filled = re.sub(r"\{[^}]*\}", lambda _: part or "x", path)
    names = [each["name"] for each in described[path][method].get("parameters", []) if each["in"] == "query"]
    query = {name: data.draw(TEXTS).encode(errors="replace") for name in names}
    body = data.draw(st.dictionaries(FIELDS, VALUES, max_size=4) | VALUES)
    content = None if method == "get" else json.dumps(body)
    headers = JSON if content else None
    answer = open_client.request(method.upper(), filled, params=query, content=content, headers=headers)
    assert answer.status_code < 500, (method, filled, query, content)
