"""The keys that are in force are those of the configuration in force."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nightowl.adapters.celery_bus.envelope import Unreadable
from nightowl.adapters.celery_bus.packing import pack_batch, unpack_batch
from nightowl.config import Configuration
from nightowl.core.values import Batch, Location, LocationKey
from nightowl.wire.bus import keyring

OLD, NEW = LocationKey(b"o" * 32), LocationKey(b"n" * 32)
BATCH = Batch(id="1.1", location="london", issued=0.0, expires=1.0, jobs=())


def having(*keys: LocationKey) -> Configuration:
    return Configuration(locations={"london": Location(name="london", keys=keys)})


def test_a_reload_brings_new_keys_and_takes_old_ones_away() -> None:
    current = having()
    keys = keyring(lambda: current)
    assert unpack_batch(pack_batch(BATCH, keys), keys) == BATCH
    current = having(OLD)
    with_old = pack_batch(BATCH, keys)
    assert unpack_batch(with_old, keys) == BATCH
    current = having(NEW, OLD)
    assert unpack_batch(with_old, keys) == BATCH
    current = having(NEW)
    with pytest.raises(Unreadable):
        unpack_batch(with_old, keys)


def test_a_location_that_is_not_declared_any_more_opens_nothing() -> None:
    sealed = pack_batch(BATCH, keyring(lambda: having(OLD)))
    with pytest.raises(Unreadable):
        unpack_batch(sealed, keyring(lambda: replace(having(), locations={})))
