"""People and their sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from nightowl.adapters.store_sql import open_store
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


CHANGES = {
    "changed password": {"password_hash": "$argon2id$new"},
    "changed role": {"role": "viewer"},
    "disabled": {"disabled": True},
}


@pytest.mark.parametrize("ends", [*CHANGES, "removed user", "signed out everywhere"])
def test_sessions_end_with_what_they_were_opened_on(store: Store, ends: str) -> None:
    sign_in(store)
    with store.transaction() as unit:
        unit.users.put(ALICE)
        assert unit.users.sessions(NOW) == {ALICE.name: 1}
        if ends == "removed user":
            unit.users.remove(ALICE.name)
        elif ends == "signed out everywhere":
            assert unit.users.close_sessions(ALICE.name) == 1
        else:
            unit.users.put(msgspec.structs.replace(ALICE, **CHANGES[ends]))
        assert unit.users.session(b"\x00hash\xff", NOW) is None
        assert unit.users.sessions(NOW) == {}


def test_a_disabled_user_has_no_session(store: Store) -> None:
    with store.transaction() as unit:
        unit.users.put(msgspec.structs.replace(ALICE, disabled=True))
        unit.users.open_session(b"late", ALICE.name, NOW + 60)
        assert unit.users.session(b"late", NOW) is None


def test_of_those_who_would_be_the_first_user_one_is(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)

    def be_first(name: str) -> bool:
        with store.transaction() as unit:
            unit.users.hold()
            if unit.users.all():
                return False
            unit.users.put(msgspec.structs.replace(ALICE, name=name))
            return True

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(be_first, [f"user-{number}" for number in range(6)]))
    assert sorted(done) == [False] * 5 + [True]
    with store.read() as unit:
        assert len(unit.users.all()) == 1
    store.close()


def test_every_store_has_a_number_of_its_own(store: Store) -> None:
    other = open_store("sqlite://", migrate=True)
    with store.read() as here, other.read() as there:
        assert here.users.installation() == here.users.installation()
        assert here.users.installation() != there.users.installation()
    other.close()
