"""Every back end of the store, each time empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nightowl.adapters.store_sql import SqlStore, open_store

BACK_ENDS = [
    "file",
    "memory",
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


def url_of(request: pytest.FixtureRequest, back_end: str, folder: Path) -> str:
    if back_end == "memory":
        return "sqlite://"
    if back_end == "file":
        return f"sqlite:///{folder / 'nightowl.db'}"
    return request.getfixturevalue(f"{back_end}_url")


@pytest.fixture(params=BACK_ENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of every kind."""
    return url_of(request, request.param, tmp_path)


@pytest.fixture(params=[back_end for back_end in BACK_ENDS if back_end != "memory"])
def lasting_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of every kind that outlives its process."""
    return url_of(request, request.param, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[SqlStore]:
    """A new store of every kind."""
    store = open_store(store_url, migrate=True)
    yield store
    store.close()
