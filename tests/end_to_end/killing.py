"""A run under way: a fleet under load, what strikes it, and the evidence that is left."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nightowl.adapters.store_sql import open_store
from nightowl.core.errors import Unavailable
from nightowl.ports import Store
from tests.end_to_end.faults import Fault
from tests.end_to_end.fleet import Fleet, everybody, up, wait_for
from tests.end_to_end.ground import ground
from tests.end_to_end.judge import Evidence, gather, missed
from tests.end_to_end.receivers import Receivers
from tests.end_to_end.targets import Target, Targets
from tests.servers.server import Server

TABLES = ("tickets", "rounds", "outcomes", "check_states", "incidents", "outbox", "samples", "rule_standings")
PLACES = {
    "leader": [f"{side} commit {table}" for table in TABLES for side in ("before", "after")]
    + ["before ack", "after ack"],
    "standby": ["before commit leases", "after commit leases"],
    "actor": ["before ack", "after ack"],
    "notifier": ["before commit outbox", "after commit outbox"],
}
"""Where a role can be made to die."""

AT_PLACE = 0.9
"""The share of kills of these roles that aim at a failpoint, so that with those of the others it is half of all."""

PATIENCE = 5.0
"""Seconds to wait for a failpoint to be reached; then the role is killed wherever it is."""

TAKE_OVER = 15.0
"""Seconds to wait for a leader before one is killed."""

SHORTER = {"nightowl.flows.notify:TERM": 12.0, "nightowl.flows.notify:LAST_START": 6.0}
"""A notifier that dies keeps its claims for a minute; here for less, lest each run waits for that."""

DEAD = (0.2, 2.0)
"""Seconds for which what was killed stays dead."""

LASTS = (3.0, 9.0)
"""Seconds for which a fault lasts."""

BACK = 5.0
"""Seconds after its start within which a broker or a database is not yet used by everybody again."""

SETTLES = 15.0
"""Seconds after the last start within which the fleet may still be at sixes and sevens."""


@dataclass(frozen=True)
class Load:
    """The targets, how moody the receivers are, and how long an outage must be for its incident to be insisted on."""

    targets: Sequence[Target]
    moodiness: float
    sure: float
    down_after: int


@dataclass
class Killing:
    """A run under way."""

    fleet: Fleet
    store: Store
    servers: dict[str, Server]
    faults: Mapping[str, Fault]
    chance: random.Random
    targets: Targets
    receivers: Receivers
    load: Load
    kills: Counter[str] = field(default_factory=Counter)
    places: Counter[str] = field(default_factory=Counter)
    troubles: list[tuple[float, float]] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)

    def strike(self, *victims: str) -> None:
        """Kill roles or servers at the same time, or let faults begin, and mend all of it after a while."""
        begun = time.time()
        with ExitStack() as stack:
            for victim, member in [(victim, self._member(victim)) for victim in victims]:
                self.kills[victim] += 1
                if victim in self.faults:
                    stack.enter_context(self.faults[victim]())
                else:
                    self._die(victim, member)
                    stack.callback(self._revive, member)
            lasts = LASTS if any(victim in self.faults for victim in victims) else DEAD
            self._rest(self.chance.uniform(*lasts))
        self.fleet.tend()
        self.troubles.append((begun, time.time() + SETTLES))
        if any(victim in self.servers or victim in self.faults for victim in victims):
            self.away.append((begun, time.time() + BACK))

    def _revive(self, member: str) -> None:
        if member in self.servers:
            self.servers[member].start()
        else:
            self.fleet.members[member].wanted = True

    def _die(self, victim: str, member: str) -> None:
        if victim in self.servers:
            self.servers[victim].kill()
            return
        if victim in PLACES and self.chance.random() < AT_PLACE:
            self._die_at(member, self.chance.choice(PLACES[victim]))
        self.fleet.kill(member)

    def _die_at(self, name: str, place: str) -> None:
        """Wait until the failpoint was reached, for some seconds."""
        trigger = self.fleet.members[name].trigger
        trigger.write_text(place)
        end = time.monotonic() + PATIENCE
        while trigger.exists() and time.monotonic() < end:
            time.sleep(0.01)
        if not trigger.exists():
            self.places[place] += 1

    def _member(self, victim: str) -> str:
        if victim in self.servers or victim in self.faults:
            return victim
        if victim in ("leader", "standby"):
            directors = [name for name in self.fleet.members if name.startswith("director")]
            end = time.monotonic() + TAKE_OVER
            while not (leader := self._leader()) and time.monotonic() < end:
                self._rest(0.1)
            leader = leader or directors[0]
            return leader if victim == "leader" else next((each for each in directors if each != leader), leader)
        return self.chance.choice([name for name in self.fleet.members if name.startswith(victim)])

    def _leader(self) -> str:
        try:
            return self.fleet.leader(self.store)
        except Unavailable:
            return ""

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.fleet.tend()
            time.sleep(0.1)

    def rest(self, least: float, most: float) -> None:
        """Let the fleet work between two strikes."""
        self._rest(self.chance.uniform(least, most))

    def settle(self, seconds: float) -> Evidence:
        """Wait until something could be lost, heal everything, wait until nothing is open, and gather the evidence."""
        wait_for(self._told_of_each_kind, seconds, self.fleet.logs)
        self.targets.heal()
        self.receivers.calm()
        wait_for(self._quiet, seconds, lambda: f"{self._left()}\n{self.fleet.logs()}")
        return gather(
            self.store,
            self.targets,
            self.receivers.ledger.read(),
            troubles=self.troubles,
            away=self.away,
            sure=self.load.sure,
            down_after=self.load.down_after,
        )

    def _told_of_each_kind(self) -> bool:
        """Whether there has been an incident of a check and one of the rule."""
        self.fleet.tend()
        with self.store.read() as unit:
            found, _ = unit.incidents.page(open_only=False, subject="", offset=0, limit=1000)
        return {"check", "rule"} <= {each.kind for each in found}

    def _quiet(self) -> bool:
        self.fleet.tend()
        return not self._left()

    def _left(self) -> str:
        """What is not over yet, empty: nothing."""
        with self.store.read() as unit:
            incidents, oldest, states = unit.incidents.open(), unit.outbox.oldest(), unit.rounds.states()
        stale = [each.check for each in states if each.last is None or each.last.due < self.targets.healed]
        if not (incidents or oldest or stale):
            return ""
        return f"open: {[each.subject for each in incidents]}, oldest notice: {oldest}, not run since: {stale}"


def kill_and_judge(
    folder: Path, servers: dict[str, Server], load: Load, strikes: Sequence[tuple[str, ...]], seed: int, **times: float
) -> tuple[Killing, Evidence]:
    """Run a fleet under load, strike it, let it settle, gather. ``times``: least and most between strikes, patience."""
    with ExitStack() as stack:
        targets = stack.enter_context(Targets(folder, load.targets))
        receivers = stack.enter_context(Receivers(folder, seed, load.moodiness))
        base = stack.enter_context(ground(folder, servers))
        keys: dict[str, Any] = {"down_after": load.down_after}
        fleet = stack.enter_context(Fleet.over(folder, base.broker_url, base.store_url, targets, receivers, **keys))
        store = open_store(base.direct_url)
        stack.callback(store.close)
        everybody(fleet, directors=2 if "database" in servers else 1, settings=SHORTER)
        begun = time.time()
        wait_for(lambda: up(fleet, store, targets.all), 120, fleet.logs)
        killing = Killing(fleet, store, servers, base.faults, random.Random(seed), targets, receivers, load)
        killing.troubles.append((begun, time.time() + SETTLES))
        for victims in strikes:
            killing.strike(*victims)
            killing.rest(times["least"], times["most"])
        return killing, killing.settle(times["patience"])


def summary(killing: Killing, evidence: Evidence, findings: Sequence[str]) -> str:
    """What was done and what came of it."""
    states = Counter(verdict.state for found in evidence.verdicts.values() for verdict in found)
    sent = Counter(receipt["key"] for receipt in evidence.receipts if receipt["taken"])
    of_checks, of_rules = (sum(map(len, found.values())) for found in (evidence.of_checks, evidence.of_rules))
    outages = sum(len(evidence.targets.outages(name)) for name in evidence.targets.all)
    own = Counter(each.subject for each in evidence.incidents if each.kind == "own")
    lines = [
        f"kills       {sum(killing.kills.values())}: {_counts(killing.kills)}",
        f"failpoints  {sum(killing.places.values())} of them: {_counts(killing.places)}",
        f"rounds      {sum(states.values())} verdicts ({_counts(states)}), {missed(evidence)} missed",
        f"hits        {len(evidence.hits)} in the targets' ledger",
        f"incidents   {of_checks} of checks and {of_rules} of the rule for {outages} outages; own ones: {_counts(own)}",
        f"notices     {len(sent)} taken, {sum(sent.values()) - len(sent)} of them again under the same key",
        f"findings    {len(findings)}",
    ]
    return "\n".join([*lines, *(f"  {each}" for each in findings)])


def _counts(found: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
