"""The secrets of checks in the store: sealed at rest, opened to run, and never sent elsewhere."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from nightowl.adapters.vault import Vault
from nightowl.config import Configuration, check_from_spec
from nightowl.core.errors import ConfigurationError
from nightowl.core.secrecy import is_sealed
from nightowl.flows.checkbook import CheckBook
from nightowl.ports import CheckFilter, StoredCheck
from nightowl.roles.installation import Installation
from nightowl.wire.check_secrets import open_secrets, seal_secrets, stand_ins
from nightowl.wire.checks import compile_check
from nightowl.wire.state import secret_key

SAFE, OTHER = Vault(b"a" * 32), Vault(b"b" * 32)
KEY = "-----BEGIN PRIVATE KEY-----\ncanary-key\n-----END PRIVATE KEY-----"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"
SPEC = {
    "url": "https://shop.example/?token=canary-query",
    "method": "POST",
    "auth": {"basic": "user:canary-basic"},
    "headers": {"X-Api-Key": "canary-header", "Accept": "*/*"},
    "body": "canary-body",
    "client_key": KEY,
    "client_certificate": CERTIFICATE,
}


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    made = Installation()
    yield made
    made.store.close()


def test_nothing_secret_is_left_in_what_is_stored():
    sealed = seal_secrets(SAFE, "shop", SPEC)
    assert "canary" not in json.dumps(sealed)
    assert sealed["headers"]["Accept"] == "*/*"
    assert seal_secrets(SAFE, "shop", sealed) == sealed
    assert open_secrets(SAFE, "shop", sealed) == SPEC


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("other", {}),
        ("shop", {"url": "https://evil.example/"}),
        ("shop", {"url": "https://shop.example:444/"}),
        ("shop", {"auth": {"bearer": seal_secrets(SAFE, "shop", SPEC)["auth"]["basic"]}}),
    ],
)
def test_a_sealed_secret_serves_no_other_check_host_or_place(name, changes):
    moved = seal_secrets(SAFE, "shop", SPEC) | changes
    with pytest.raises(ConfigurationError, match="sealed for another check, key or host"):
        open_secrets(SAFE, name, moved)


def test_another_secret_key_is_told_for_each_secret_and_opens_nothing():
    sealed = seal_secrets(SAFE, "shop", SPEC)
    for judge in (open_secrets, stand_ins):
        with pytest.raises(ConfigurationError) as caught:
            judge(OTHER, "shop", sealed)
        assert {mistake.key for mistake in caught.value.mistakes} >= {"check.shop.auth.basic", "check.shop.url.token"}
        assert "sealed with another [server] secret_key" in str(caught.value)


def stored(spec):
    return StoredCheck(name="shop", origin="stored", paused=False, spec=spec)


def test_a_check_runs_with_its_secrets_opened(installation):
    target = compile_check(installation.current(), SAFE, stored(seal_secrets(SAFE, "shop", SPEC))).target
    assert (target.basic, target.body, target.client_key) == ("user:canary-basic", "canary-body", KEY)
    assert target.url == SPEC["url"]


def test_what_is_sealed_can_be_judged_without_opening_it(installation):
    judged = stand_ins(SAFE, "shop", seal_secrets(SAFE, "shop", SPEC))
    check = check_from_spec("shop", judged, locations=installation.current().locations)
    assert "canary" not in repr(check)


def test_the_database_holds_no_secret_of_a_check(installation, tmp_path):
    safe = installation.vault
    with installation.store.transaction() as unit:
        unit.checks.put(stored(seal_secrets(safe, "shop", SPEC)))
    installation.define()
    with installation.store.read() as unit:
        assert compile_check(installation.current(), safe, unit.checks.get("shop")).target.bearer == ""
        assert unit.checks.page(CheckFilter(text="canary"), 0, 10).total == 0
        assert unit.checks.page(CheckFilter(text="shop.example"), 0, 10).total == 1
    assert not [path for path in tmp_path.rglob("*") if b"canary" in path.read_bytes()]


def test_secrets_of_files_are_sealed_where_they_are_no_references(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("TOKEN", "from-environment")
    file = tmp_path / "nightowl.toml"
    file.write_text(
        '[check.a]\nurl = "http://a.example/"\nauth = { bearer = "plain-token" }\n'
        '[check.b]\nurl = "http://b.example/"\nauth = { bearer = "${env:TOKEN}" }\n'
    )
    installation = Installation(str(file))
    installation.define()
    with installation.store.read() as unit:
        first, last = unit.checks.all(), unit.feed.last()
    installation.define()
    with installation.store.read() as unit:
        assert unit.feed.last() == last  # sealing again gives the same
    installation.store.close()
    assert is_sealed(first[0].spec["auth"]["bearer"])
    assert first[1].spec["auth"]["bearer"] == "${env:TOKEN}"
    opened = [compile_check(installation.current(), installation.vault, check).target.bearer for check in first]
    assert opened == ["plain-token", "from-environment"]


def test_a_check_restored_under_another_secret_is_broken_and_says_so(installation):
    book = CheckBook(partial(compile_check, installation.current(), OTHER))
    with installation.store.transaction() as unit:
        unit.checks.put(stored(seal_secrets(installation.vault, "shop", SPEC)))
        unit.checks.put(StoredCheck(name="open", origin="stored", paused=False, spec={"url": "http://x.example/"}))
        book.load(unit, object())
    assert set(book.checks) == {"open"}
    assert "sealed with another [server] secret_key" in book.broken["shop"]


def test_processes_that_start_together_make_one_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(secret_key, [Configuration()] * 8))
    assert len(made) == 1
    assert len(made.pop()) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
