"""Set the clocks of a running fleet an hour forward, then an hour back, and look whether its checks go on.

``python -m tests.end_to_end.clock_steps`` takes about three minutes, prints how long the targets were not asked, and
ends with 1 when a clock stalled the checks for more than two minutes, made a burst, or became a verdict.
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from nightowl.adapters.store_sql import open_store
from nightowl.core.values import State
from nightowl.ports import Store
from tests.end_to_end.fleet import Fleet, everybody, up, wait_for
from tests.end_to_end.receivers import Receivers
from tests.end_to_end.targets import Target, Targets
from tests.servers.run import Run

TARGETS = (Target("steady", 5.0), Target("slow", 15.0), Target("down", 5.0, cycle=1e6, broken=1e6))
HOUR = 3600.0
LONGEST = 120.0 + max(target.every for target in TARGETS)
"""Seconds without a hit at most: actors believe a clock that went back after two minutes."""


def set_clocks(fleet: Fleet, wrongness: float) -> None:
    """Let all members' clocks be wrong by so many seconds."""
    for member in fleet.members.values():
        part = member.folder / "clock.part"
        part.write_text(str(wrongness))
        part.rename(member.folder / "clock")


def goes_on(targets: Targets, since: float) -> bool:
    """Whether each target was asked three times in the last half minute or so, and some time has passed."""
    recent = [hit["name"] for hit in targets.hits() if hit["at"] > max(since + 5.0, time.time() - 40.0)]
    return all(recent.count(name) >= 3 for name in targets.all)


def findings(store: Store, targets: Targets) -> list[str]:
    """What the clocks have done that they must not."""
    found = []
    for name in targets.all:
        at = sorted(hit["at"] for hit in targets.hits() if hit["name"] == name and hit["location"] == "london")
        longest = max(later - earlier for earlier, later in pairwise(at))
        sys.stdout.write(f"{name}: {len(at)} hits, {longest:.0f} s without one at most\n")
        if longest > LONGEST:
            found.append(f"{name} was not asked for {longest:.0f} s")
        if any(fourth - first < targets.all[name].every for first, fourth in zip(at, at[3:], strict=False)):
            found.append(f"{name} was asked four times in a round")
    with store.read() as unit:
        incidents, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=1000)
        states = {each.check: each.verdict for each in unit.rounds.states()}
    if states != {"steady": State.UP, "slow": State.UP, "down": State.DOWN}:
        found.append(f"wrong in the end: {states}")
    if [each.subject for each in incidents if each.kind == "check"] != ["down"]:
        found.append(f"incidents: {[(each.subject, each.opened) for each in incidents]}")
    return found


def main() -> int:
    """Run from the command line."""
    run = Run()
    folder = Path(run.folder)
    try:
        with ExitStack() as stack:
            targets = stack.enter_context(Targets(folder, TARGETS))
            receivers = stack.enter_context(Receivers(folder, 1, 0.0))
            store_url = f"sqlite:///{folder}/nightowl.db"
            fleet = stack.enter_context(Fleet.over(folder, f"filesystem://{folder}/bus", store_url, targets, receivers))
            fleet.clocks = True
            store = open_store(store_url)
            stack.callback(store.close)
            everybody(fleet, directors=1, actors=1)
            wait_for(lambda: up(fleet, store, targets.all), 60, fleet.logs)
            for wrongness in (0.0, HOUR, 0.0):
                set_clocks(fleet, wrongness)
                begun = time.time()
                wait_for(lambda since=begun: goes_on(targets, since), 300, fleet.logs)
            found = findings(store, targets)
    finally:
        run.end()
    sys.stdout.write("".join(f"  {each}\n" for each in found) + f"findings: {len(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
