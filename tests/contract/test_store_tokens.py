"""Tokens of programs."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nightowl.core.values import Token, User
from nightowl.ports import Store

NOW = 1_790_000_000.25
ANNA = User(name="anna", role="operator", password_hash="$argon2id$one")
CI = Token(name="ci", role="operator", owner="anna", created=NOW, expires=NOW + 60)
GRAPHS = Token(name="graphs", role="viewer", created=NOW)


@pytest.fixture
def filled(store: Store) -> Store:
    with store.transaction() as unit:
        unit.users.put(ANNA)
        assert unit.tokens.add(CI, b"\x00ci\xff")
        assert unit.tokens.add(GRAPHS, b"graphs")
    return store


def test_a_token_is_found_by_its_hash_with_its_owner(filled: Store) -> None:
    with filled.read() as unit:
        assert unit.tokens.find(b"\x00ci\xff", NOW) == (CI, ANNA)
        assert unit.tokens.find(b"graphs", NOW + 1e9) == (GRAPHS, None)
        assert unit.tokens.find(b"other", NOW) is None
        assert unit.tokens.all() == [CI, GRAPHS]


def test_a_name_is_given_once(filled: Store) -> None:
    with filled.transaction() as unit:
        assert not unit.tokens.add(replace(GRAPHS, role="admin"), b"another")
        assert unit.tokens.get("graphs") == GRAPHS


@pytest.mark.parametrize("end", ["expired", "revoked", "owner disabled", "owner removed"])
def test_a_token_ends(filled: Store, end: str) -> None:
    with filled.transaction() as unit:
        if end == "revoked":
            assert unit.tokens.remove("ci")
            assert not unit.tokens.remove("ci")
        elif end == "owner disabled":
            unit.users.put(replace(ANNA, disabled=True))
        elif end == "owner removed":
            unit.users.remove("anna")
        assert unit.tokens.find(b"\x00ci\xff", NOW + (60 if end == "expired" else 0)) is None
        assert unit.tokens.find(b"graphs", NOW) is not None


def test_when_a_token_was_used_is_kept(filled: Store) -> None:
    with filled.transaction() as unit:
        unit.tokens.used("ci", NOW + 5)
        assert unit.tokens.get("ci") == replace(CI, used=NOW + 5)


def test_expired_tokens_are_forgotten_with_the_sessions(filled: Store) -> None:
    with filled.transaction() as unit:
        unit.retention.prune("sessions", NOW + 61, 10)
        assert unit.tokens.all() == [GRAPHS]
