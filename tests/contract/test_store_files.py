"""The files of an SQLite store: readable by their owner only."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightowl.adapters.store_sql import open_store
from nightowl.core.errors import StoreUnavailable


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def test_only_its_owner_reads_a_new_database_and_the_files_beside_it(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/owl.db", migrate=True)
    modes = {file.name: mode(file) for file in tmp_path.iterdir()}
    store.close()
    assert modes == {"owl.db": 0o600, "owl.db-wal": 0o600, "owl.db-shm": 0o600}


def test_a_database_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "owl.db").touch(0o640)
    (tmp_path / "owl.db").chmod(0o640)
    open_store(f"sqlite:///{tmp_path}/owl.db", migrate=True).close()
    assert mode(tmp_path / "owl.db") == 0o640


def test_a_folder_that_is_missing_is_still_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        open_store(f"sqlite:///{tmp_path}/missing/owl.db", migrate=True)
