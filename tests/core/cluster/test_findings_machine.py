"""Whatever happens, a watcher that is started again at any moment finds what one that was not started again finds."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.task import TaskState
from tests.core.cluster.conftest import Watched

names = st.sampled_from(["shop.a", "shop.b"])
queues = st.sampled_from(["celery", "mail"])


@dataclass
class Twice:
    """The same cluster, watched by one that goes on and by one that is started again."""

    steady: Watched
    other: Watched

    def do(self, what: str, *args: object, **kwargs: object) -> None:
        for each in (self.steady, self.other):
            getattr(each, what)(*args, **kwargs)


class Machine(RuleBasedStateMachine):
    """Findings begin once, stay as they began, and end only when their cause is gone."""

    @initialize()
    def begin(self) -> None:
        self.both = Twice(Watched(), Watched())
        self.before: dict[str, Finding] = {}

    @rule(name=names, place=st.sampled_from(["here", "there"]))
    def fail(self, name: str, place: str) -> None:
        self.both.do("fail", name=name, place=place)

    @rule(name=names, state=st.sampled_from([TaskState.PENDING, TaskState.RECEIVED, TaskState.STARTED, TaskState.LOST]))
    def task(self, name: str, state: TaskState) -> None:
        self.both.do("task", state, name)

    @rule()
    def end(self) -> None:
        for uuid in list(self.both.steady.tasks):
            self.both.do("task", TaskState.SUCCESS, uuid=uuid, runtime=1.0)

    @rule(name=names)
    def run(self, name: str) -> None:
        self.both.do("ran", 30, 1.0, name=name)

    @rule(goodbye=st.booleans())
    def down(self, goodbye: bool) -> None:
        self.both.do("down", "celery@one", goodbye=goodbye)

    @rule()
    def up(self) -> None:
        self.both.do("up", "celery@one", queues=("celery",))

    @rule(name=queues, ready=st.integers(0, 500), consumers=st.sampled_from([None, 0, 1]))
    def queue(self, name: str, ready: int, consumers: int | None) -> None:
        self.both.do("queue", name, ready=ready, consumers=consumers)

    @rule(fault=st.sampled_from(["", "away"]))
    def broker(self, fault: str) -> None:
        for each in (self.both.steady, self.both.other):
            each.state = replace(each.state, fault=fault)

    @rule()
    def gap(self) -> None:
        for each in (self.both.steady, self.both.other):
            each.state = replace(each.state, gaps=(*each.state.gaps, Gap(each.now - 1.0, each.now, "lost", None)))

    @rule(seconds=st.sampled_from([10.0, 100.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.both.do("wait", seconds, step=max(10.0, seconds / 20))

    @rule()
    def restart(self) -> None:
        self.both.other.restart()

    @invariant()
    def agree(self) -> None:
        found = self.both.steady.look()
        assert self.both.other.look() == found
        for key in found.keys() & self.before.keys():
            assert found[key].since == self.before[key].since
        assert all(finding.since <= self.both.steady.now for finding in found.values())
        if self.both.steady.state.fault:
            assert found.keys() == self.before.keys()
        self.before = found


Machine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestMachine = Machine.TestCase
