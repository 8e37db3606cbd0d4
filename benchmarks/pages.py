"""How long pages take with 10,000 checks and a month of history, from a process of their own over SQLite.

``python -m benchmarks.pages [CHECKS]`` fills a store (a round of every check in each half day, at three locations,
and one check with a round a minute), then asks ``nightowl web`` for each page some dozen times over one connection.
The floor is ``/health``, which is the server and the guard alone.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nightowl.adapters.store_sql import open_store
from nightowl.core import incident
from nightowl.core.values import Attempt, Check, CheckState, Outcome, Phases, Round, State, Target
from nightowl.core.verdict import decide
from nightowl.ports import Store, StoredCheck

LOCATIONS = ("london", "tokyo", "sydney")
MONTH = 30 * 86_400.0
HALF_DAY = 43_200.0
TARGET = Target(kind="https", url="https://shop.example/")
PAGES = (
    "/health", "/", "/checks", "/checks?state=down", "/checks?q=check-77", "/checks?page=40", "/checks/check-busy",
    "/checks/check-00077", "/locations", "/incidents", "/api/v1/checks?limit=100", "/metrics",
)  # fmt: skip
ASKED = 30


def outcome(check: str, due: float, location: str, *, good: bool) -> Outcome:
    """What a location says, three attempts long."""
    phases = Phases(dns=0.001, connect=0.01, tls=0.02, first_byte=0.05, transfer=0.01)
    state, reason, status = (State.UP, "", 200) if good else (State.DOWN, "http.status", 503)
    each = Attempt(state=state, started=due, duration=0.09, phases=phases, status=status, reason=reason)
    return Outcome(check=check, due=due, location=location, state=state, attempts=(each,) * 3, kept=0, actor="a")


def write(store: Store, rounds: Sequence[Round], states: dict[str, CheckState]) -> None:
    """Store closed rounds, a few of them down, in one transaction."""
    outcomes, verdicts = [], []
    for each in rounds:
        good = hash((each.check, each.due)) % 97 != 0
        votes = {name: outcome(each.check, each.due, name, good=good) for name in LOCATIONS}
        check = Check(name=each.check, target=TARGET, locations=LOCATIONS)
        verdict = decide(each, LOCATIONS, votes, None, each.due + 1)
        states[each.check], _ = incident.advance(check, states.get(each.check) or CheckState(check=each.check), verdict)
        outcomes += votes.values()
        verdicts.append(verdict)
    with store.transaction() as unit:
        unit.rounds.add_outcomes(outcomes)
        unit.rounds.close(verdicts, list({each.check: states[each.check] for each in rounds}.values()))


def fill(url: str, checks: int) -> None:
    """Make the store and its month."""
    store = open_store(url, migrate=True)
    names = [f"check-{n:05}" for n in range(checks - 1)]
    spec = {"url": TARGET.url, "tags": {"team": "shop"}}
    with store.transaction() as unit:
        unit.checks.put_many(
            [StoredCheck(name=name, origin="stored", paused=False, spec=spec) for name in [*names, "check-busy"]]
        )
    states: dict[str, CheckState] = {}
    now = time.time() // 60 * 60
    for step in range(int(MONTH / HALF_DAY), -1, -1):
        for start in range(0, len(names), 2000):
            write(store, [Round(now - step * HALF_DAY, name) for name in names[start : start + 2000]], states)
        print(f"\rfilling the store: {1 - step * HALF_DAY / MONTH:4.0%}", end="", file=sys.stderr, flush=True)
    minutes = [Round(now - n * 60.0, "check-busy") for n in range(int(MONTH / 60), -1, -1)]
    for first in range(0, len(minutes), 2000):
        write(store, minutes[first : first + 2000], states)
    print(file=sys.stderr)
    store.close()


@contextmanager
def pages(folder: Path) -> Iterator[http.client.HTTPConnection]:
    """A web process over the store in the folder, and a connection to it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = folder / "nightowl.toml"
    locations = "".join(f"[location.{name}]\n" for name in LOCATIONS)
    path.write_text(
        f'[server]\nlisten = "127.0.0.1:{port}"\n[store]\nurl = "sqlite:///{folder}/nightowl.db"\n{locations}'
    )
    command = [str(Path(sys.executable).with_name("nightowl")), "web", "-c", str(path)]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"STATE_DIRECTORY": str(folder)})
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
        yield http.client.HTTPConnection("127.0.0.1", port)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait()


def ask(connection: http.client.HTTPConnection, page: str) -> tuple[float, int]:
    """Seconds until a page is here whole, and its bytes."""
    began = time.monotonic()
    connection.request("GET", page)
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != 200:
        raise SystemExit(f"{page} answered {answer.status}")
    return time.monotonic() - began, size


def main() -> None:
    """Fill, ask, print."""
    checks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        fill(f"sqlite:///{name}/nightowl.db", checks)
        size = sum(file.stat().st_size for file in Path(name).iterdir())
        print(f"{checks:,} checks, a month of history, {size / 2**20:,.0f} MiB")
        with pages(Path(name)) as connection:
            for page in PAGES:
                times = [ask(connection, page) for _ in range(ASKED)]
                seconds = sorted(taken for taken, _ in times)
                middle, high = statistics.median(seconds) * 1000, seconds[int(ASKED * 0.95)] * 1000
                print(f"{page:28} p50 {middle:7.1f} ms  p95 {high:7.1f} ms  {times[-1][1] / 1024:7.1f} KiB", flush=True)


if __name__ == "__main__":
    main()
