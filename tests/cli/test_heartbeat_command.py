"""``nightowl heartbeat``: what it says of a name that is not that of a heartbeat."""

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nightowl.cli.heartbeat import heartbeat
from nightowl.config import load
from nightowl.ports import StoredCheck
from nightowl.wire.store import open_store

SPECS = {
    "backup": {"kind": "heartbeat", "every": "1d"},
    "import": {"kind": "heartbeat", "every": "1h"},
    "shop": {"url": "http://shop.example/"},
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    file = tmp_path / "nightowl.toml"
    file.write_text("[location.london]\n")
    with closing(open_store(load(str(file)))) as store, store.transaction() as unit:
        for name, spec in SPECS.items():
            unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec=spec))
    return str(file)


def url(path: str, name: str) -> Result:
    return CliRunner().invoke(heartbeat, ["url", name, "-c", path])


def test_the_url_of_a_heartbeat_is_printed(path: str) -> None:
    result = url(path, "backup")
    assert (result.exit_code, result.output[:7]) == (0, "http://")


def test_a_check_of_another_kind_is_told_from_an_unknown_one(path: str) -> None:
    result = url(path, "shop")
    assert result.exit_code == 1
    assert result.stderr == "shop is no heartbeat but a check of another kind, so no job calls it.\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bakup", "There is no heartbeat named bakup (is backup meant?); one of a file "),
        ("shops", "There is no heartbeat named shops; one of a file "),
    ],
)
def test_an_unknown_heartbeat_is_told_with_those_that_are_near(path: str, name: str, said: str) -> None:
    result = url(path, name)
    assert result.exit_code == 1
    assert result.stderr.startswith(said)
