"""People and their sessions."""

from __future__ import annotations

import msgspec
import pytest

from nightowl.core.values import User
from nightowl.ports import Store

NOW = 1_790_000_000.25
ALICE = User(name="Älice", role="admin", password_hash="$argon2id$one")
BOB = User(name="Bob", role="viewer", password_hash="$argon2id$two", origin="file")


def sign_in(store: Store) -> None:
    with store.transaction() as unit:
        unit.users.put(ALICE)
        unit.users.put(BOB)
        unit.users.open_session(b"\x00hash\xff", ALICE.name, NOW + 60)


def test_users_are_kept_by_name(store: Store) -> None:
    sign_in(store)
    with store.transaction() as unit:
        assert unit.users.all() == [BOB, ALICE]
        assert unit.users.get("Älice") == ALICE
        assert unit.users.get("alice") is None
        assert unit.users.remove("Bob")
        assert not unit.users.remove("Bob")


def test_a_session_lasts_until_it_ends(store: Store) -> None:
    sign_in(store)
    with store.transaction() as unit:
        assert unit.users.session(b"\x00hash\xff", NOW + 59) == ALICE
        assert unit.users.session(b"\x00hash\xff", NOW + 60) is None
        assert unit.users.session(b"other", NOW) is None
        unit.users.close_session(b"\x00hash\xff")
        assert unit.users.session(b"\x00hash\xff", NOW) is None


@pytest.mark.parametrize("ends", ["changed password", "removed user"])
def test_sessions_end_with_the_password_and_the_user(store: Store, ends: str) -> None:
    sign_in(store)
    with store.transaction() as unit:
        unit.users.put(msgspec.structs.replace(ALICE, role="viewer"))
        assert unit.users.session(b"\x00hash\xff", NOW) is not None
        if ends == "removed user":
            unit.users.remove(ALICE.name)
        else:
            unit.users.put(msgspec.structs.replace(ALICE, password_hash="$argon2id$new"))
        assert unit.users.session(b"\x00hash\xff", NOW) is None
