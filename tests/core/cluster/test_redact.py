"""Values of named arguments never survive, whatever stands around them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.redact import Redaction, without_passwords
from nightowl.core.cluster.settings import REDACTED

REDACT = Redaction("redacted", REDACTED)
CANARY = "canary7"


def hidden(text: str) -> str:
    kept = REDACT.text(text)
    assert kept is not None
    return kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("{'password': 'x', 'n': 1}", "{'password': ***, 'n': 1}"),
        ("{'n': 1, 'token': None}", "{'n': 1, 'token': ***}"),
        ("{'user': {'Password2': 'x', 'name': 'ann'}, 'n': 1}", "{'user': {'Password2': ***, 'name': 'ann'}, 'n': 1}"),
        ("{'tokens': ['a', ('b', 'c')], 'n': 1}", "{'tokens': ***, 'n': 1}"),
        ("{'secret': Key(a, b), 'n': 1}", "{'secret': ***, 'n': 1}"),
        ("{'secret': 'cut in the mid...", "{'secret': ***"),
        ("{'secret': 'it\\'s', 'n': 1}", "{'secret': ***"),
        ("{'my password of old': b'x', 'n': 1}", "{'my password of old': ***"),
        ("{'my password of old': 'x', 'n': 1}", "{'my password of old': ***, 'n': 1}"),
        ('{"token": "x\\"y", "n": 1}', '{"token": ***'),
        ("('{\\'token\\': \\'x\\', \\'n\\': 1}', 2)", "('{\\'token\\': ***, \\'n\\': 1}', 2)"),
        ("User(name='ann', password='x')", "User(name='ann', password=***)"),
        ("Denied: password=hunter2, too short\n  at login", "Denied: password=***\n  at login"),
        ("jwt.InvalidTokenError: Signature has expired", "jwt.InvalidTokenError: Signature has expired"),
        ("(1, 'two')", "(1, 'two')"),
        ("", ""),
    ],
)
def test_the_value_of_a_named_key_is_hidden_and_the_rest_stands(text: str, kept: str) -> None:
    assert hidden(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("redis://:pw@h/0", "redis://:***@h/0"),
        ("('amqp://owl:p:w@h//', 'amqps://a:b@c')", "('amqp://owl:***@h//', 'amqps://a:***@c')"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("('redis://owl:secr...", "('redis://owl:***..."),
    ],
)
def test_passwords_of_urls_are_hidden(text: str, kept: str) -> None:
    assert without_passwords(text) == kept


def test_what_is_kept_depends_on_the_mode() -> None:
    text = "{'password': 'x'}"
    assert Redaction("full", REDACTED).argument(text) == text
    assert Redaction("none", REDACTED).argument(text) is None
    assert Redaction("none", REDACTED).text(text) == "{'password': ***}"
    assert REDACT.argument(None) is None


def test_patterns_without_a_word_are_looked_for_everywhere() -> None:
    assert Redaction("redacted", ("*",)).text("{'a': 1, 'b': 2}") == "{'a': ***, 'b': ***}"
    assert Redaction("redacted", ("card_[ab]",)).text("{'card_a': 1, 'card_c': 2}") == "{'card_a': ***, 'card_c': 2}"


keys = st.sampled_from(["password", "Old_Password", "csrf-token", "secret.key", "the secret word"])
words = st.text(st.sampled_from("ab\\'\"{}[](),:= \n\u00e9<>&"), max_size=12)
secrets = st.tuples(words, words).map(lambda around: f"{around[0]}{CANARY}{around[1]}")
plain = st.one_of(st.integers(), st.none(), st.text(st.sampled_from("xyz\\'\" {}[],:="), max_size=8))
values = st.recursive(
    secrets | secrets.map(str.encode),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(plain, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def nested(draw: st.DrawFn) -> Any:
    """Arguments with a secret under a matching key, at some depth."""
    found: Any = {**draw(st.dictionaries(plain, plain, max_size=2)), draw(keys): draw(values)}
    for _ in range(draw(st.integers(0, 2))):
        found = {**draw(st.dictionaries(plain, plain, max_size=2)), draw(st.sampled_from("pq")): [draw(plain), found]}
    return found


@given(nested())
def test_a_secret_under_a_matching_key_never_survives_celerys_own_texts(found: Any) -> None:
    assert CANARY not in hidden(saferepr(found))


@given(nested())
def test_nor_pythons_own(found: Any) -> None:
    assert CANARY not in hidden(repr(found))


@given(st.dictionaries(st.sampled_from("abc"), plain, max_size=3), keys, secrets)
def test_nor_json_in_a_text(others: dict[str, Any], key: str, secret: str) -> None:
    text = json.dumps({**others, key: secret})
    assert CANARY not in hidden(text)
    assert CANARY not in hidden(saferepr((text,)))
    assert CANARY not in hidden(json.dumps({"body": text}))


@given(nested(), st.integers(0, 400))
def test_nor_where_the_text_is_cut(found: Any, length: int) -> None:
    assert CANARY not in hidden(f"{saferepr(found)[:length]}...")


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    Redaction("redacted", ("*",)).text(text)


@pytest.mark.parametrize(
    "piece",
    ["[", "]", "token=", "'token': ", "\\'", "'", "=", "a", "x://a:", "{'token': {", "<", "token=,", "a:b@", "\\"],
)
def test_hostile_texts_take_time_in_proportion(piece: str) -> None:
    text = f"token={piece * (100_000 // len(piece))}"
    began = time.process_time()
    hidden(f"{text}://{text}")
    hidden(f"{piece * 100_000} token")
    assert time.process_time() - began < 5.0
