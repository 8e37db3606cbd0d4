"""Kill everything that can be killed, at random moments under load, start it again, and let the judge decide.

``python -m tests.end_to_end.kills --kills 20 --broker redis --database postgresql --seed 1`` kills each role, the
broker and the database that many times, alone and in pairs, half of the roles' kills at failpoints right before or
right after a commit or an acknowledgement. ``--faults 5`` adds faults that are no death, each that often: lines to the
broker and the database that are silent or cut, a locked database, and with SQLite (as root) a full disk. It prints a
summary and ends with 1 when the judge found something.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.fleet import LOCATIONS, SERVERS
from tests.end_to_end.ground import fault_names
from tests.end_to_end.judge import judge
from tests.end_to_end.killing import Load, kill_and_judge, summary
from tests.end_to_end.targets import Target
from tests.servers.run import Run

ROLES = ("leader", "standby", "actor", "notifier", "web", "broker", "database")


def long_load(seed: int) -> Load:
    """Forty targets: half are always well, the others are broken for a minute out of two, each in its turn."""
    chance = random.Random(seed)
    steady = [Target(f"steady-{n:02}", 15.0 if n % 4 == 0 else 5.0) for n in range(20)]
    flapping = [
        Target(f"flapping-{n:02}", 15.0 if n % 4 == 0 else 5.0, 150.0, 75.0, chance.uniform(0.0, 150.0))
        for n in range(20)
    ]
    return Load((*steady, *flapping), 0.15, 45.0, 2)


def plan(often: Mapping[str, int], chance: random.Random) -> list[tuple[str, ...]]:
    """Each victim so often, in a random order, every other strike hitting two at once."""
    victims = [victim for victim, times in often.items() for _ in range(times)]
    chance.shuffle(victims)
    strikes: list[tuple[str, ...]] = []
    while victims:
        first = victims.pop()
        other = next((each for each in reversed(victims) if each != first), "") if len(strikes) % 2 else ""
        if other:
            victims.remove(other)
        strikes.append((first, other) if other else (first,))
    return strikes


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.end_to_end.kills", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=20, help="kills of each role, of the broker and of the database")
    parser.add_argument("--faults", type=int, default=0, help="how often each fault that is no death")
    parser.add_argument("--broker", choices=("redis", "rabbitmq", "filesystem"), default="redis")
    parser.add_argument("--database", choices=("postgresql", "mariadb", "sqlite"), default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for ledgers, logs and (SQLite) the store")
    options = parser.parse_args()
    run = Run()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="nightowl-kills-", dir=run.folder))
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {"broker": options.broker, "database": options.database}
    servers = {part: SERVERS[kind](run.folder, part) for part, kind in kinds.items() if kind in SERVERS}
    alone = {"database": ("standby", "database"), "broker": ("broker",)}
    without = {role for part, roles in alone.items() if part not in servers for role in roles}
    roles = [role for role in ROLES if role not in without]
    try:
        for server in servers.values():
            server.start()
        often = dict.fromkeys(roles, options.kills) | dict.fromkeys(fault_names(servers), options.faults)
        strikes = plan(often, random.Random(options.seed))
        begun = time.monotonic()
        killing, evidence = kill_and_judge(
            folder, servers, long_load(options.seed), strikes, options.seed, least=0.5, most=5.0, patience=300
        )
        findings = judge(evidence)
        fleet = f"{options.broker}, {options.database}, locations {', '.join(LOCATIONS)}, seed {options.seed}"
        lasted = f"{time.monotonic() - begun:.0f} s"
        sys.stdout.write(f"fleet       {fleet}\nlasted      {lasted}\n{summary(killing, evidence, findings)}\n")
    finally:
        run.end()
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
