"""The leader's vigil over what is open, with a notifier beside it: everything that comes due by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.errors import LeaseLost
from nightowl.core.telling import Parent, Telling
from nightowl.core.values import Author, Change, Escalation, Incident, Maintenance, Notice, Route, Severity, Silence
from nightowl.flows.notify import TERM, Notifier, Plan, acknowledge
from nightowl.flows.tell import tell
from nightowl.flows.vigil import Vigil
from nightowl.ports import Store
from nightowl.testing.clock import ManualClock
from nightowl.testing.store import memory_store

ALICE = Author("user", "alice")
MINUTE, HOUR = 60.0, 3600.0
ALL = Route(name="all", to=("ops", "mail"))
GROUPED = Route(name="team", to=("ops", "mail"), group_by=("team",))


class Listed:
    """A channel that takes everything and lists it; ``groups`` as the class says."""

    groups = False

    def __init__(self) -> None:
        self.taken: list[Notice] = []

    def send(self, notice: Notice) -> None:
        self.taken.append(notice)

    @property
    def steps(self) -> list[str]:
        """What it heard of which incidents: ``firing shop bank``."""
        return [" ".join([each.step, each.incident.subject, *(o.subject for o in each.others)]) for each in self.taken]


class Together(Listed):
    """A channel that may be told of several incidents in one message."""

    groups = True


class World:
    """A store, a clock, a vigil and a notifier."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = ManualClock()
        self.start = self.clock.now()
        self.ops, self.mail, self.boss = Together(), Listed(), Listed()
        self.telling = Telling(routes=(ALL,))
        with store.transaction() as unit:
            lease = unit.leases.acquire("director", "one", 1e9)
        assert lease is not None
        self.lease = lease
        self.vigil = self.new_vigil()

    def new_vigil(self) -> Vigil:
        """A leader's that has just taken over."""
        vigil = Vigil(self.store, self.lease)
        with self.store.read() as unit:
            self.seen = unit.feed.last()
            vigil.take_over(unit)
        return vigil

    def notifier(self, holder: str = "one") -> Notifier:
        plan = Plan(channels={"ops": self.ops, "mail": self.mail, "boss": self.boss}, telling=self.telling)
        return Notifier(self.store, self.clock, lambda: plan, holder=holder)

    def change(self, event: str, subject: str = "shop", **keys: Any) -> Incident:
        """Open or change the incident of a subject."""
        with self.store.transaction() as unit:
            found = unit.incidents.page(open_only=False, subject=subject, offset=0, limit=1)[0]
            if event == "opened":
                now = self.clock.now()
                facts = {"kind": "check", "severity": Severity.WARNING, "tags": {"team": "shop"}} | keys
                incident = Incident(id=f"{subject}.{now}", subject=subject, summary="it is bad", opened=now, **facts)
            else:
                incident = replace(found[0], **keys)
            made = Change(event=event, incident=incident, at=self.clock.now(), text=event)  # type: ignore[arg-type]
            tell(unit, [made], self.telling, self.clock.now())
        return incident

    def resolve(self, subject: str = "shop") -> None:
        self.change("resolved", subject, resolved=self.clock.now())

    def silence(self, seconds: float, **match: str) -> Silence:
        now = self.clock.now()
        with self.store.transaction() as unit:
            return unit.silences.add(Silence(match=match, start=now, end=now + seconds))

    def run(self, seconds: float = 1.0, step: float = 1.0) -> None:
        """Let time pass; the leader looks each second, the notifier sends."""
        notifier = self.notifier()
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.look()
            while notifier.step():
                pass

    def look(self) -> int:
        """Follow the feed and look once."""
        with self.store.read() as unit:
            items = unit.feed.after(self.seen, 10_000)
        self.vigil.follow(items)
        self.seen = items[-1].id if items else self.seen
        return self.vigil.step(self.telling, self.clock.now())

    def incident(self, subject: str = "shop") -> Incident:
        with self.store.read() as unit:
            return unit.incidents.page(open_only=False, subject=subject, offset=0, limit=1)[0][0]

    def timeline(self, subject: str = "shop") -> list[str]:
        with self.store.read() as unit:
            return [entry.text for entry in unit.incidents.timeline(self.incident(subject).id)]


@pytest.fixture
def world() -> Iterator[World]:
    store = memory_store()
    yield World(store)
    store.close()


def test_a_warning_is_told_when_its_wait_is_over(world: World) -> None:
    world.change("opened")
    world.run(9)
    assert world.mail.steps == []
    world.run(2)
    assert world.mail.steps == ["firing shop"]


def test_one_that_ends_while_it_waits_is_told_to_nobody(world: World) -> None:
    world.change("opened")
    world.run(5)
    world.resolve()
    world.run(60)
    assert world.mail.steps == world.ops.steps == []


def test_what_opens_together_is_one_message_where_the_channel_groups(world: World) -> None:
    world.telling = Telling(routes=(GROUPED,))
    for subject in ("shop", "search", "basket"):
        world.change("opened", subject)
        world.run(2)
    world.change("opened", "bank", tags={"team": "bank"})
    world.run(20)
    assert world.ops.steps == ["firing shop search basket", "firing bank"]
    assert sorted(world.mail.steps) == ["firing bank", "firing basket", "firing search", "firing shop"]
    assert len({notice.key for notice in (*world.ops.taken, *world.mail.taken)}) == 6
    for subject in ("shop", "search"):
        world.resolve(subject)
    world.run(2)
    assert sorted(world.mail.steps)[-2:] == ["resolved search", "resolved shop"]
    assert {word for step in world.ops.steps[2:] for word in step.split()} == {"resolved", "shop", "search"}


def test_a_message_that_fails_is_tried_again_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.telling = Telling(routes=(GROUPED,))
    for subject in ("shop", "search"):
        world.change("opened", subject)
    with monkeypatch.context() as patched:
        patched.setattr(Together, "send", lambda *_: (_ for _ in ()).throw(ValueError("no")))
        world.run(12)
    world.run(10)
    assert world.ops.steps == ["firing search shop"]


def test_a_silence_holds_back_until_it_is_ended(world: World) -> None:
    silence = world.silence(HOUR, team="shop")
    world.change("opened", severity=Severity.CRITICAL)
    world.run(60)
    assert world.ops.steps == []
    assert world.incident().suppressed is not None
    with world.store.transaction() as unit:
        unit.silences.put(replace(silence, end=world.clock.now()))
    world.run(1)
    assert world.ops.steps == ["firing shop"]
    assert world.incident().suppressed is None
    assert [line.split(" until")[0] for line in world.timeline()[:3]] == [
        "opened",
        "suppressed by silence #1",
        "no longer suppressed by silence #1",
    ]


def test_a_silence_that_runs_out_lets_go_what_is_still_open(world: World) -> None:
    world.silence(5 * MINUTE, name="sh*")
    world.change("opened")
    world.change("opened", "bank")
    world.run(5 * MINUTE - 1, step=1.0)
    assert world.ops.steps == ["firing bank"]
    world.resolve("bank")
    world.run(2)
    assert world.ops.steps == ["firing bank", "resolved bank", "firing shop"]


def test_an_end_is_told_though_a_silence_began_meanwhile(world: World) -> None:
    world.change("opened", severity=Severity.CRITICAL)
    world.run(1)
    world.silence(HOUR, name="shop")
    world.run(1)
    assert world.incident().suppressed is not None
    world.resolve()
    world.run(1)
    assert world.mail.steps == ["firing shop", "resolved shop"]


def test_maintenance_holds_back_while_it_lasts(world: World) -> None:
    midnight = world.start // 86400 * 86400
    made = Maintenance(name="m", start=world.start - midnight, duration=10 * MINUTE, days=tuple(range(7)))
    world.telling = replace(world.telling, maintenance=(made,))
    world.change("opened", severity=Severity.CRITICAL)
    world.run(10 * MINUTE - 10, step=10.0)
    assert world.ops.steps == []
    world.run(10, step=10.0)
    assert world.ops.steps == ["firing shop"]


def test_a_child_whose_parent_goes_down_seconds_later_is_not_told(world: World) -> None:
    parents = (Parent("check", "router", Severity.CRITICAL, 20.0),)
    slots = {"shop": 10.0, "router": 10.0}
    world.telling = replace(world.telling, parents={("check", "shop"): parents}, slots=slots)
    world.change("opened", severity=Severity.CRITICAL)
    world.run(12)
    world.change("opened", "router", severity=Severity.CRITICAL)
    world.run(5 * MINUTE, step=5.0)
    assert world.mail.steps == ["firing router"]
    assert world.timeline()[1] == "suppressed: parent down: router"
    world.resolve("router")
    world.run(10)
    world.resolve("shop")
    world.run(60)
    assert world.mail.steps == ["firing router", "resolved router"]


def test_a_child_that_stays_down_is_told_when_its_parent_is_back(world: World) -> None:
    parents = (Parent("check", "router", Severity.CRITICAL, 20.0),)
    world.telling = replace(world.telling, parents={("check", "shop"): parents}, slots={"shop": 10.0})
    world.change("opened", "router", severity=Severity.CRITICAL)
    world.change("opened", severity=Severity.CRITICAL)
    world.run(60)
    world.resolve("router")
    world.run(30)
    assert world.mail.steps == ["firing router", "resolved router", "firing shop"]


def test_a_subject_that_flaps_is_told_no_more_and_again_when_it_stays_bad(world: World) -> None:
    world.telling = replace(world.telling, slots={"shop": 10.0})
    for _ in range(15):
        world.change("opened", severity=Severity.CRITICAL)
        world.run(10)
        world.resolve()
        world.run(10)
    told = len(world.mail.steps)
    assert 8 <= told < 20
    assert world.mail.steps == ["firing shop", "resolved shop"] * (told // 2)
    world.change("opened", severity=Severity.CRITICAL)
    world.run(60)
    assert world.incident().suppressed is not None
    assert len(world.mail.steps) == told
    world.run(5 * MINUTE, step=5.0)
    assert world.mail.steps[told:] == ["firing shop"]


def test_whoever_is_next_is_told_while_nobody_takes_care(world: World) -> None:
    world.telling = Telling(routes=(replace(ALL, escalate=(Escalation(15 * MINUTE, ("boss",)),)),))
    world.change("opened", severity=Severity.CRITICAL)
    world.run(15 * MINUTE - 10, step=10.0)
    assert world.boss.steps == []
    world.run(20, step=10.0)
    world.resolve()
    world.run(1)
    assert world.boss.steps == ["firing shop", "resolved shop"]


def test_an_acknowledgement_that_expires_is_told_in_the_timeline_and_lets_go_on(world: World) -> None:
    world.telling = Telling(routes=(replace(ALL, escalate=(Escalation(15 * MINUTE, ("boss",)),)),))
    incident = world.change("opened", severity=Severity.CRITICAL)
    acknowledge(world.store, incident.id, ALICE, world.clock.now(), 30 * MINUTE)
    world.run(44 * MINUTE, step=10.0)
    assert world.boss.steps == []
    assert world.incident().acknowledged is None
    assert "the acknowledgement by alice has expired" in world.timeline()
    world.run(MINUTE + 10, step=10.0)
    assert world.boss.steps == ["firing shop"]


def test_reminders_come_each_period(world: World) -> None:
    world.change("opened", severity=Severity.CRITICAL)
    world.run(13 * HOUR, step=300.0)
    assert world.mail.steps == ["firing shop", "repeat-1 shop", "repeat-2 shop", "repeat-3 shop"]


def test_a_channel_that_wants_resends_gets_them_and_nothing_fills_up(world: World) -> None:
    world.telling = replace(world.telling, resend={"mail": 60.0})
    incident = world.change("opened", severity=Severity.CRITICAL)
    acknowledge(world.store, incident.id, ALICE, world.clock.now())
    world.run(30 * MINUTE, step=5.0)
    world.resolve()
    world.run(1)
    again = [step for step in world.mail.steps if step.startswith("resend")]
    assert 28 <= len(again) <= 30
    assert world.mail.steps == ["firing shop", *again, "resolved shop"]
    with world.store.read() as unit:
        assert len([row for row in unit.outbox.of(incident.id) if row.notice.channel == "mail"]) == 3
    assert len(world.timeline()) == 7


def test_another_leader_goes_on_where_the_first_ended(world: World) -> None:
    world.change("opened")
    world.run(5)
    world.vigil = world.new_vigil()
    world.run(6)
    assert world.mail.steps == ["firing shop"]
    world.vigil = world.new_vigil()
    world.run(60)
    assert world.mail.steps == ["firing shop"]


def test_who_leads_no_more_writes_nothing(world: World) -> None:
    world.change("opened")
    with world.store.transaction() as unit:
        unit.leases.release(world.lease)
        unit.leases.acquire("director", "two", 60.0)
    world.clock.advance(20)
    with pytest.raises(LeaseLost):
        world.look()
    with world.store.read() as unit:
        assert unit.outbox.of(world.incident().id) == []


def test_a_vigil_over_what_is_at_rest_reads_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.change("opened")
    world.run(30)
    monkeypatch.setattr(world.store, "read", lambda: pytest.fail("nothing is due"))
    world.vigil.step(world.telling, world.clock.now() + 1)


# -- whatever happens ------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A store whose user dies when a number of writes have been committed, or just before that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.left: int | None = None
        self.before = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def transaction(self, lease: Any = None) -> Any:
        return self._committing(self._store.transaction(lease))

    def _committing(self, inner: Any) -> Any:
        outer = self

        class Committing:
            def __enter__(self) -> Any:
                return inner.__enter__()

            def __exit__(self, *error: object) -> Any:
                dies = outer.left == 0
                outer.left = None if outer.left is None else outer.left - 1
                if dies and outer.before and error[0] is None:
                    killed = Killed()
                    inner.__exit__(Killed, killed, None)
                    raise killed
                result = inner.__exit__(*error)
                if dies and error[0] is None:
                    raise Killed
                return result

        return Committing()


EVENTS = st.sampled_from(
    ["open", "open", "resolve", "raise", "silence", "unsilence", "acknowledge", "wait", "long wait", "kill", "kill"]
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(EVENTS, st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=18))
def test_whatever_happens_whoever_heard_hears_of_the_end_once_and_silence_is_kept(
    events: list[tuple[str, int, int, bool]],
) -> None:
    store = memory_store()
    mortal = Mortal(store)
    world = World(mortal)  # type: ignore[arg-type]
    world.telling = Telling(routes=(replace(GROUPED, escalate=(Escalation(90.0, ("boss",)),), repeat=120.0),))
    subjects, quiet, heard = ("shop", "search", "bank"), False, 0
    for event, which, number, before in events:
        subject = subjects[which]
        try:
            _happens(world, event, subject, number, before)
        except Killed:
            mortal.left = None
            world.clock.advance(TERM)
            world.vigil = world.new_vigil()
        lasting = [each for each in _silences(store) if each.end > world.clock.now()]
        if quiet and lasting:
            assert _opening(world) == heard
        quiet, heard = bool(lasting), _opening(world)
    mortal.left = None
    for silence in _silences(store):
        with store.transaction() as unit:
            unit.silences.put(replace(silence, end=min(silence.end, world.clock.now())))
    world.run(TERM + 15)
    for subject in subjects:
        if _is_open(store, subject):
            world.resolve(subject)
    world.run(TERM + 15)
    _judge(world, store)
    store.close()


def _happens(world: World, event: str, subject: str, number: int, before: bool) -> None:
    is_open = _is_open(world.store, subject)
    match event:
        case "open" if not is_open:
            world.change("opened", subject, severity=(Severity.WARNING, Severity.CRITICAL)[number % 2])
        case "resolve" if is_open:
            world.resolve(subject)
        case "raise" if is_open and world.incident(subject).severity is Severity.WARNING:
            world.change("raised", subject, severity=Severity.CRITICAL, raised=world.clock.now())
        case "acknowledge" if is_open:
            acknowledge(world.store, world.incident(subject).id, ALICE, world.clock.now(), 60.0 * number or None)
        case "silence":
            world.run(1)
            world.silence(1000.0, name="*")
            world.run(1)
        case "unsilence":
            for silence in _silences(world.store):
                with world.store.transaction() as unit:
                    unit.silences.put(replace(silence, end=min(silence.end, world.clock.now())))
        case "kill":
            world.store.left, world.store.before = number, before  # type: ignore[attr-defined]
            world.run(15, step=5.0)
        case "long wait":
            world.run(200, step=20.0)
    world.run(number + 1)


def _silences(store: Store) -> list[Silence]:
    with store.read() as unit:
        return unit.silences.page(0, 100)[0]


def _is_open(store: Store, subject: str) -> bool:
    with store.read() as unit:
        return any(each.subject == subject for each in unit.incidents.open())


def _opening(world: World) -> int:
    """How many notices there are that say that something opened or lasts."""
    with world.store.read() as unit:
        incidents = unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]
        rows = unit.outbox.of_many({each.id for each in incidents})
    return sum(row.notice.step != "resolved" for found in rows.values() for row in found)


def _judge(world: World, store: Store) -> None:
    for channel in (world.ops, world.mail, world.boss):
        heard: dict[str, list[str]] = {}
        for notice in channel.taken:
            for incident in (notice.incident, *notice.others):
                steps = heard.setdefault(incident.id, [])
                if notice.step not in steps:  # a repeated send has a key that was there before
                    steps.append(notice.step)
        for steps in heard.values():
            assert steps[0] == "firing"
            assert steps[-1] == "resolved"
            assert steps.count("resolved") == 1
    with store.read() as unit:
        incidents = unit.incidents.page(open_only=False, subject="", offset=0, limit=100)[0]
        rows = unit.outbox.of_many({each.id for each in incidents})
    assert {row.status for found in rows.values() for row in found} <= {"sent"}
