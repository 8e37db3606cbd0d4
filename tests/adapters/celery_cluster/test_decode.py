"""Events out of bytes that anybody may have sent."""

from __future__ import annotations

import json
import math
from base64 import b64encode
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightowl.adapters.celery_cluster.events import envelope
from nightowl.adapters.celery_cluster.events.decode import COMPRESSED, LARGEST, MOST, TOO_MANY, Label, Sieve
from nightowl.adapters.celery_cluster.events.lenient import NO_EVENT, TOO_LONG_A_NAME
from nightowl.adapters.celery_cluster.events.serialisation import LARGEST_YAML, NOT_ACCEPTED, NOT_READABLE, TOO_LARGE
from nightowl.core.cluster.events import LATEST, NAME, TEXT, WHOLE, Event

FIELDS = [field.name for field in msgspec.structs.fields(Event)]
JSON = Label()
EASY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ALL = ("json", "yaml", "msgpack")

# What JSON carries of a text: no halves of surrogate pairs. A NUL is replaced, which is tested by itself.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
names = texts.map(lambda text: text[:NAME])
wholes = st.integers(-WHOLE, WHOLE)
numbers = st.floats(allow_nan=False, allow_infinity=False)

KINDS: dict[Any, st.SearchStrategy[Any]] = {
    "loadavg": st.lists(numbers, max_size=3),
    "signum": st.one_of(wholes, names),
    "timestamp": st.floats(0, LATEST),
    **dict.fromkeys(("clock", "pid", "retries", "active", "processed"), wholes),
    **dict.fromkeys(("runtime", "freq", "current", "total"), numbers),
    **dict.fromkeys(("terminated", "expired", "requeue"), st.booleans()),
}
REQUIRED = ("type", "hostname", "uuid", "timestamp")
events = st.fixed_dictionaries(
    {"type": st.text("abcdefgh-", min_size=1, max_size=30)},
    optional={
        name: KINDS.get(name, names) if name in REQUIRED else st.none() | KINDS.get(name, names)
        for name in FIELDS
        if name != "type"
    },
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner),
    max_leaves=20,
)


def sifted(body: bytes, label: Label = JSON, accepted: tuple[str, ...] = ()) -> tuple[list[Event], dict[str, int]]:
    sieve = Sieve(accepted)
    if not sieve.take(body):
        sieve.take_strange(body, label)
    return sieve.empty()


def enveloped(body: bytes, **more: Any) -> bytes:
    return json.dumps({"body": b64encode(body).decode(), "content-type": "application/json"} | more).encode()


def sound(event: Event) -> bool:
    """Whether an event keeps the bounds that its type has, and fits into UTF-8 and databases."""
    encoded = msgspec.json.encode(event)
    assert msgspec.json.decode(encoded, type=Event) == event
    texts = [value for name in FIELDS if isinstance(value := getattr(event, name), str)]
    return not any("\0" in text for text in texts) and bool(event.type)


@EASY
@given(st.lists(events, max_size=5), st.booleans())
def test_what_celery_sends_arrives_as_json_reads_it(sent: list[dict[str, Any]], ascii_only: bool) -> None:
    body = json.dumps(sent, ensure_ascii=ascii_only).encode()
    expected = [Event(**each) for each in json.loads(body)]
    assert sifted(body) == (expected, {})
    sieve = Sieve()
    for payload in (body, *(json.dumps(each).encode() for each in sent)):
        envelope.take(enveloped(payload), sieve)
    assert sieve.empty() == (expected * 2, {})


@EASY
@given(st.lists(events, max_size=5))
def test_the_careful_way_reads_the_same(sent: list[dict[str, Any]]) -> None:
    body = json.dumps(sent).encode()
    careful = Sieve()
    careful.take_strange(body, Label())
    assert careful.empty() == sifted(body)


@EASY
@given(events, st.dictionaries(st.text(max_size=8).filter(lambda key: key not in FIELDS), junk, max_size=3))
def test_fields_that_nobody_knows_are_dropped(sent: dict[str, Any], more: dict[str, Any]) -> None:
    assert sifted(json.dumps(sent | more).encode()) == ([Event(**sent)], {})


@EASY
@given(junk, st.sampled_from(["", "application/json", "application/x-yaml", "application/x-msgpack", "x"]))
def test_any_json_is_taken_or_counted(raw: Any, content_type: str) -> None:
    found, refused = sifted(json.dumps(raw).encode(), Label(content_type), ALL)
    expected = len(raw) if isinstance(raw, list) and content_type != "x" else 1
    assert len(found) + sum(refused.values()) >= min(expected, 1) * (raw != [])
    assert all(sound(event) for event in found)


@EASY
@given(junk)
def test_any_msgpack_is_taken_or_counted(raw: Any) -> None:
    try:
        body = msgspec.msgpack.encode(raw)
    except (OverflowError, UnicodeEncodeError):
        return
    found, refused = sifted(body, Label("application/x-msgpack"), ALL)
    assert found or refused or raw == []
    assert all(sound(event) for event in found)


@EASY
@given(st.dictionaries(st.sampled_from(FIELDS), junk))
def test_a_wrong_field_does_not_cost_the_others(wrong: dict[str, Any]) -> None:
    event = {"type": "task-sent", "uuid": "1"}
    found, refused = sifted(json.dumps(wrong | event | {"hostname": "w"}).encode())
    assert not refused
    assert (found[0].type, found[0].uuid, found[0].hostname) == ("task-sent", "1", "w")
    assert sound(found[0])


@EASY
@given(st.binary(max_size=300), st.sampled_from(["application/json", "application/x-yaml", "application/x-msgpack"]))
def test_any_bytes_are_taken_or_counted(body: bytes, content_type: str) -> None:
    assert all(sound(event) for event in sifted(body, Label(content_type), ALL)[0])
    sieve = Sieve(ALL)
    envelope.take(body, sieve)
    envelope.take(enveloped(body, **{"content-type": content_type}), sieve)
    assert sum(sieve.refused.values()) >= 1


@EASY
@given(junk, junk, junk, junk)
def test_any_envelope_is_taken_or_counted(body: Any, headers: Any, properties: Any, content_type: Any) -> None:
    sieve = Sieve(ALL)
    parts = {"body": body, "headers": headers, "properties": properties, "content-type": content_type}
    envelope.take(json.dumps(parts).encode(), sieve)
    assert sieve.events or sieve.refused or body in ("", "[]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"retries": "3"', {"retries": 3}),
        ('"retries": true, "runtime": "0.5"', {"runtime": 0.5}),
        ('"runtime": null', {}),
        ('"args": [1, "a"], "kwargs": {"b": [2]}', {"args": "[1, 'a']", "kwargs": "{'b': [2]}"}),
        ('"timestamp": "12.5"', {"timestamp": 12.5}),
        ('"timestamp": NaN', {}),
        ('"timestamp": -1', {}),
        ('"timestamp": 1700000000000', {}),
        ('"timestamp": ' + "9" * 5000, {}),
        ('"clock": ' + "9" * 30, {}),
        ('"clock": 7.0, "pid": "x"', {"clock": 7}),
        ('"signum": "SIGKILL"', {"signum": "SIGKILL"}),
        ('"signum": 15, "terminated": 1', {"signum": 15, "terminated": True}),
        ('"loadavg": ["1", NaN, 2, {}]', {"loadavg": [1.0, 2.0]}),
        ('"result": "a\\u0000b"', {"result": "a\ufffdb"}),
        ('"result": "\\ud800!"', {"result": "?!"}),
        ('"result": "tab\there"', {"result": "tab\there"}),
        ('"name": "' + "n" * 300 + '"', {"name": "n" * (NAME - 1) + "…"}),
        ('"result": "' + "r" * (TEXT + 1) + '"', {"result": "r" * (TEXT - 1) + "…"}),
        ('"traceback": "' + "t" * TEXT + 'End"', {"traceback": "…" + "t" * (TEXT - 4) + "End"}),
    ],
)
def test_fields_of_other_kinds(text: str, expected: dict[str, Any]) -> None:
    found, refused = sifted(b'{"type": "task-sent", ' + text.encode() + b"}")
    assert (found, refused) == ([Event(type="task-sent", **expected)], {})
    assert all(math.isfinite(value) for value in expected.values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", NOT_READABLE),
        (b"{", NOT_READABLE),
        (b"5", NO_EVENT),
        (b"{}", NO_EVENT),
        (b'{"type": null}', NO_EVENT),
        (b'{"type": ""}', NO_EVENT),
        (b'{"type": "' + b"x" * 256 + b'"}', TOO_LONG_A_NAME),
        (b'{"type": "a", "hostname": "' + b"x" * 256 + b'"}', TOO_LONG_A_NAME),
        (b'{"type": "a", "uuid": "' + b"x" * 256 + b'"}', TOO_LONG_A_NAME),
        (b"[" * 100_000, NOT_READABLE),
        (b" " * (LARGEST + 1), TOO_LARGE),
        (b"[" + b",".join([b'{"type":"a"}'] * (MOST + 1)) + b"]", TOO_MANY),
    ],
)
def test_what_is_no_event_is_counted_by_reason(body: bytes, reason: str) -> None:
    assert sifted(body) == ([], {reason: 1})


def test_one_bad_event_of_many_is_refused_alone() -> None:
    found, refused = sifted(b'[{"type": "a"}, 5, {"type": "b", "retries": "1"}]')
    assert found == [Event(type="a"), Event(type="b", retries=1)]
    assert refused == {NO_EVENT: 1}


def test_only_what_is_accepted_is_read() -> None:
    body = msgspec.msgpack.encode([{"type": "a", "args": [1]}])
    label = Label("application/x-msgpack")
    assert sifted(body, label, ("msgpack",)) == ([Event(type="a", args="[1]")], {})
    assert sifted(body, label, ("application/x-msgpack",)) == ([Event(type="a", args="[1]")], {})
    assert sifted(body, label) == ([], {NOT_ACCEPTED: 1})
    assert sifted(b"\x80\x04.", Label("application/x-python-serialize"), ("pickle",)) == ([], {NOT_ACCEPTED: 1})
    assert sifted(b"x", Label(compressed=True)) == ([], {COMPRESSED: 1})


def test_yaml_that_would_grow_is_refused() -> None:
    laughs = "a: &a [x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghi"))
    label = Label("application/x-yaml")
    assert sifted((laughs + "type: i\nargs: *i\n").encode(), label, ALL) == ([], {NOT_READABLE: 1})
    assert sifted(b"type: x\n" + b"#" * LARGEST_YAML, label, ALL) == ([], {TOO_LARGE: 1})
    assert sifted(b"!!python/object/apply:os.getpid []", label, ALL) == ([], {NOT_READABLE: 1})
    assert sifted(b"- {type: a, uuid: u}", label, ALL) == ([Event(type="a", uuid="u")], {})


def test_a_body_that_is_not_in_base64() -> None:
    sieve = Sieve()
    envelope.take(json.dumps({"body": '{"type": "a"}', "content-type": "application/json"}).encode(), sieve)
    assert sieve.empty() == ([Event(type="a")], {})
