"""A target's own secrets never show, in whatever form they come back."""

from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes.body import EXCERPT, excerpt
from nightowl.adapters.probes.redaction import MASK, redactor, secret_header
from nightowl.core.values import Target

secrets = st.text(min_size=4, max_size=40, alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]))


def target(**fields):
    return Target(kind="https", url=fields.pop("url", "https://shop.example/"), **fields)


@given(secrets)
def test_a_secret_is_masked_in_all_its_forms(secret):
    hide = redactor(target(bearer=secret))
    for form in (secret, b64encode(secret.encode()).decode(), quote(secret, safe=""), quote_plus(secret)):
        assert hide(f"<{form}>") == f"<{MASK}>"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"basic": "user:hunter2"}, "password hunter2"),
        ({"basic": "user:hunter2"}, "Authorization: Basic " + b64encode(b"user:hunter2").decode()),
        ({"headers": {"X-Api-Key": "k-123"}}, "your key is k-123"),
        ({"headers": {"Authorization": "Token t-123"}}, "t-123"),
        ({"headers": {"Cookie": "session=abc"}}, "Cookie: session=abc"),
        ({"url": "https://user:pw-1@shop.example/"}, "pw-1"),
        ({"url": "https://shop.example/?token=q-9"}, "token=q-9"),
    ],
)
def test_every_place_of_a_secret_is_known(fields, shown):
    assert MASK in redactor(target(**fields))(shown)


def test_what_is_no_secret_stays():
    assert redactor(target(headers={"Accept": "text/html"}))("text/html") == "text/html"
    assert [secret_header(name) for name in ("Accept", "X-Auth-Token", "Cookie", "Content-Type")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_secret_is_masked_before_an_excerpt_is_cut():
    secret = "a-secret-of-some-length"
    body = b"." * (EXCERPT - 5) + secret.encode() + b" and more"

    shown = excerpt(body, redactor(target(bearer=secret)))

    assert len(shown) == EXCERPT
    assert "a-sec" not in shown
