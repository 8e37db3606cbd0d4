"""The line that ``nightowl location add`` prints starts an actor whose votes count."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import tomli_w

from nightowl.adapters.store_sql import open_store
from nightowl.core.values import State
from tests.end_to_end.shop_server import ShopServer
from tests.end_to_end.test_brokers import NIGHTOWL, first_rounds, logs, process, wait_for


@pytest.mark.redis
def test_the_printed_line_starts_an_actor_whose_votes_count(tmp_path: Path, redis_url: str) -> None:
    path = tmp_path / "nightowl.toml"
    with ShopServer(delay=0.0) as shop, ExitStack() as stack:
        table = {
            "store": {"url": f"sqlite:///{tmp_path}/nightowl.db"},
            "bus": {"broker": redis_url},
            "check": {"shop": {"url": f"http://shop.invalid:{shop.port}/", "every": "5s", "timeout": "1s"}},
        }
        path.write_text(tomli_w.dumps(table))
        command = [*NIGHTOWL, "location", "add", "sydney", "-c", str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        path.write_text(
            path.read_text().replace("shop.invalid", "127.0.0.1")
            + 'reach = "private"\nallow = [{ network = "127.0.0.0/8" }]\n'
        )
        store = open_store(f"sqlite:///{tmp_path}/nightowl.db", migrate=True)
        stack.callback(store.close)
        stack.enter_context(process(tmp_path, "director", "-c", str(path)))
        (line,) = (each for each in said.splitlines() if each.startswith("NIGHTOWL_BROKER="))
        variables, arguments = line.split(" nightowl ")
        given = dict(each.split("=", 1) for each in variables.split())
        stack.enter_context(process(tmp_path, *arguments.split(), environment=given))
        wait_for(lambda: "shop" in first_rounds(store), 60, lambda: logs(tmp_path))

        def voted() -> bool:
            place = first_rounds(store)["shop"].places[0]
            return (place.location, place.voted, place.state) == ("sydney", True, State.UP)

        wait_for(voted, 60, lambda: logs(tmp_path))
    assert given["NIGHTOWL_LOCATION_KEY"] not in logs(tmp_path)
