"""The store of tasks as the configuration says where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nightowl.config import Configuration
from nightowl.core.cluster.task import Task
from nightowl.wire.store import migrate, open_store, open_tasks


def test_tasks_lie_beside_the_store_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    open_store(Configuration()).close()
    tasks = open_tasks(Configuration())
    tasks.write("shop", [Task(uuid="1", seen=2e9)])
    tasks.close()
    assert migrate(f"sqlite:///{tmp_path / 'nightowl.db'}")[0] is not None
    assert {file.name for file in tmp_path.iterdir()} == {"nightowl.db", "nightowl.tasks.db", "nightowl.figures.db"}
    again = open_tasks(Configuration())
    assert list(again.get("shop", ["1"])) == ["1"]
    again.close()
