"""The import contracts leave no room out."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_stands_in_a_layer():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers")
    placed = {module.strip() for layer in layers for module in layer.split("|")}
    rooms = {
        f"nightowl.{entry.stem}"
        for entry in (ROOT / "nightowl").iterdir()
        if entry.suffix == ".py" or (entry / "__init__.py").exists()
    }
    assert rooms - placed == {"nightowl.__init__", "nightowl.testing"}
