"""The secrets of a check's definition are found wherever they stand, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.secrecy import destination, map_secrets, secrets_of, sounds_secret

SPEC = {
    "url": "https://shop.example:8443/a?page=2&api_key=k-1",
    "auth": {"basic": "user:pw"},
    "headers": {"Accept": "text/html", "X-Auth-Token": "t-1", "Cookie": "${env:COOKIE}"},
    "client_key": "-----BEGIN PRIVATE KEY-----",
    "body": "login",
    "send": "AUTH pw",
    "expect": {"body": "Basket", "header": {"Set-Cookie": "sid"}, "status": [200]},
    "tags": {"token": "no"},
    "every": "1m",
}


def test_every_place_of_a_secret_is_known():
    assert secrets_of(SPEC) == {
        "url.api_key": "k-1",
        "auth.basic": "user:pw",
        "headers.X-Auth-Token": "t-1",
        "client_key": "-----BEGIN PRIVATE KEY-----",
        "body": "login",
        "send": "AUTH pw",
        "expect.header.Set-Cookie": "sid",
    }


def test_only_secrets_are_replaced():
    changed = map_secrets(SPEC, lambda _place, _secret: "x")
    assert changed["url"] == "https://shop.example:8443/a?page=2&api_key=x"
    assert changed["headers"] == {"Accept": "text/html", "X-Auth-Token": "x", "Cookie": "${env:COOKIE}"}
    assert (changed["expect"]["body"], changed["tags"], changed["every"]) == ("Basket", {"token": "no"}, "1m")


@pytest.mark.parametrize("name", ["X.Token.v1", "token.", "Api-Key.Shop"])
def test_a_name_with_dots_is_judged_as_a_whole(name):
    assert secrets_of({"headers": {name: "t-1"}}) == {f"headers.{name}": "t-1"}


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.dictionaries(st.text(), inner)))
def test_junk_stays_as_it_is_where_nothing_is_replaced(value):
    spec = {"url": value, "headers": value, "auth": {"basic": value}}
    assert map_secrets(spec, lambda _place, secret: secret) == spec


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("https://Shop.example/a?b", "https://shop.example"),
        ("tcp://[::1]:5432", "tcp://[::1]:5432"),
        ("http://x:99999/", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_secrets_go_to_scheme_host_and_port(url, where):
    assert destination({"url": url}) == where


def test_names_that_sound_secret_are_told_from_others():
    assert all(map(sounds_secret, ["Authorization", "X-Api-Key", "access_token", "PASSWORD", "sig", "x-amz-signature"]))
    assert not any(map(sounds_secret, ["Accept", "Content-Type", "keyword", "q", "design"]))
