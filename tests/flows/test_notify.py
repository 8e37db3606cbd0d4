import logging
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.errors import DeliveryFailed, NotFound, Refused, StoreUnavailable
from nightowl.core.telling import Telling
from nightowl.core.values import Author, Change, Incident, Notice, Route, Severity
from nightowl.flows.notify import TERM, Notifier, Plan, acknowledge, pause
from nightowl.flows.tell import tell
from nightowl.ports import Channel, Store
from nightowl.testing.store import memory_store

START = 1_700_000_000.0
HOUR = 3600.0
ALICE, BOB = Author("user", "alice"), Author("user", "bob")
SHOP = Incident(
    id="5f2c",
    kind="check",
    subject="shop",
    severity=Severity.CRITICAL,
    summary="shop is down: connection refused",
    opened=START,
)
ROUTES = (Route(name="all", to=("ops", "mail")),)
PERMANENT = DeliveryFailed("the host answered 404 Not Found", permanent=True)
BUSY = DeliveryFailed("the host answered 503 Service Unavailable")


class Moment:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Scripted:
    """A channel that raises what the script says next, then takes everything."""

    def __init__(self, *script: Exception) -> None:
        self.script = list(script)
        self.remark: str | None = None
        self.taken: list[str] = []

    def send(self, notice: Notice) -> str | None:
        if self.script:
            raise self.script.pop(0)
        self.taken.append(notice.key)
        return self.remark


class Held:
    """Lanes that keep work until it is let go."""

    def __init__(self) -> None:
        self.work: dict[str, Callable[[], None]] = {}

    def busy(self) -> list[str]:
        return list(self.work)

    def run(self, channel: str, work: Callable[[], None]) -> None:
        self.work[channel] = work

    def let_go(self, channel: str) -> None:
        self.work.pop(channel)()


class Desk:
    """A store, a clock, channels and a notifier between them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = Moment()
        self.ops, self.mail = Scripted(), Scripted()
        self.plan = Plan(channels={"ops": self.ops, "mail": self.mail}, telling=Telling(routes=ROUTES))
        self.notifier = self.another("one")

    def another(self, holder: str, lanes: Held | None = None) -> Notifier:
        return Notifier(self.store, self.clock, lambda: self.plan, holder=holder, lanes=lanes)

    def use(self, **channels: Channel) -> None:
        self.plan = replace(self.plan, channels=channels)

    def tell(self, event: str, incident: Incident = SHOP) -> None:
        change = Change(event=event, incident=incident, at=self.clock.time, text=event)
        with self.store.transaction() as unit:
            tell(unit, [change], self.plan.telling, self.clock.time)

    def step(self, after: float = 0.0) -> int:
        self.clock.time += after
        return self.notifier.step()

    def rows(self, incident: str = SHOP.id) -> dict[str, tuple[str, str]]:
        with self.store.read() as unit:
            return {
                f"{row.notice.step}/{row.notice.channel}": (row.status, row.error) for row in unit.outbox.of(incident)
            }

    def timeline(self) -> list[str]:
        with self.store.read() as unit:
            return [entry.text for entry in unit.incidents.timeline(SHOP.id)]

    def open(self) -> dict[str, Incident]:
        with self.store.read() as unit:
            return {incident.subject: incident for incident in unit.incidents.open()}


@pytest.fixture
def desk() -> Iterator[Desk]:
    store = memory_store()
    yield Desk(store)
    store.close()


def test_a_notice_goes_to_its_channels_once(desk: Desk) -> None:
    desk.tell("opened")
    assert desk.step() == 2
    assert desk.step() == 0
    assert (desk.ops.taken, desk.mail.taken) == (["5f2c/firing/ops"], ["5f2c/firing/mail"])
    assert desk.rows() == {"firing/ops": ("sent", ""), "firing/mail": ("sent", "")}


def test_the_timeline_says_what_was_sent_otherwise_than_meant(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.ops.remark = "the template of the body fails"
    desk.tell("opened")
    desk.step()
    assert "firing to ops: sent; the template of the body fails" in desk.timeline()
    assert "firing to mail: sent" in desk.timeline()
    assert desk.rows()["firing/ops"] == ("sent", "")
    assert "5f2c/firing/ops: sent; the template of the body fails" in caplog.text


def test_the_timeline_says_what_was_sent(desk: Desk) -> None:
    desk.tell("opened")
    desk.step()
    assert desk.timeline() == ["opened", "firing to mail: sent", "firing to ops: sent"]


def test_a_failed_send_is_tried_again_after_a_while(desk: Desk) -> None:
    desk.ops.script = [BUSY]
    desk.tell("opened")
    desk.step()
    assert desk.rows()["firing/ops"] == ("waiting", str(BUSY))
    assert "firing to ops: the host answered 503 Service Unavailable; trying again in 5 s" in desk.timeline()
    assert desk.step(after=4.0) == 0
    assert desk.step(after=2.0) == 1
    assert desk.ops.taken == ["5f2c/firing/ops"]


def test_a_receiver_that_names_a_time_is_left_alone_until_then(desk: Desk) -> None:
    desk.ops.script = [DeliveryFailed("slow down", retry_after=600.0)]
    desk.tell("opened")
    desk.step()
    assert desk.step(after=599.0) == 0
    assert desk.step(after=1.0) == 1


def test_a_resolved_notice_waits_for_its_firing_one(desk: Desk) -> None:
    desk.ops.script = [BUSY, BUSY]
    desk.tell("opened")
    desk.step()
    desk.tell("resolved", replace(SHOP, resolved=START + 1))
    desk.step(after=1.0)
    assert (desk.ops.taken, desk.mail.taken) == ([], ["5f2c/firing/mail", "5f2c/resolved/mail"])
    for _ in range(4):
        desk.step(after=15.0)
    assert desk.ops.taken == ["5f2c/firing/ops", "5f2c/resolved/ops"]


def test_a_crash_between_send_and_mark_repeats_the_notice_under_its_key(desk: Desk) -> None:
    desk.ops.script = [KeyboardInterrupt()]
    desk.tell("opened")
    with pytest.raises(KeyboardInterrupt):
        desk.step()
    other = desk.another("two")
    desk.clock.time += TERM - 1
    assert other.step() == 0
    desk.clock.time += 1
    assert other.step() == 1
    assert desk.ops.taken == ["5f2c/firing/ops"]


def test_a_store_that_fails_after_the_send_repeats_the_notice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.use(ops=desk.ops)
    desk.tell("opened")
    lanes = Held()
    notifier = desk.another("one", lanes)
    notifier.step()
    with monkeypatch.context() as patched:
        patched.setattr(desk.store, "transaction", lambda: (_ for _ in ()).throw(StoreUnavailable("the disk is full")))
        lanes.let_go("ops")
    assert desk.rows()["firing/ops"] == ("waiting", "")
    desk.step(after=TERM)
    assert desk.ops.taken == ["5f2c/firing/ops", "5f2c/firing/ops"]


def test_two_notifiers_never_hold_the_same_notice(desk: Desk) -> None:
    desk.tell("opened")
    lanes = Held()
    assert desk.another("two", lanes).step() == 2
    assert desk.step() == 0


def test_a_channel_that_is_busy_keeps_none_of_the_others_waiting(desk: Desk) -> None:
    lanes = Held()
    notifier = desk.another("one", lanes)
    desk.tell("opened")
    notifier.step()
    lanes.let_go("mail")
    desk.tell("opened", replace(SHOP, id="6a"))
    assert notifier.step() == 1
    lanes.let_go("mail")
    assert desk.mail.taken == ["5f2c/firing/mail", "6a/firing/mail"]
    lanes.let_go("ops")
    assert notifier.step() == 1
    lanes.let_go("ops")
    assert desk.ops.taken == ["5f2c/firing/ops", "6a/firing/ops"]


def test_a_lane_begins_no_send_that_could_outlast_its_claim(desk: Desk) -> None:
    lanes = Held()
    notifier = desk.another("one", lanes)
    desk.tell("opened")
    notifier.step()
    desk.clock.time += TERM - 1
    lanes.let_go("ops")
    assert desk.ops.taken == []
    desk.step(after=1.0)
    assert desk.ops.taken == ["5f2c/firing/ops"]


def test_what_a_channel_refuses_for_good_is_given_up_and_the_others_hear_of_it(desk: Desk) -> None:
    desk.ops.script = [PERMANENT]
    desk.tell("opened")
    desk.step()
    assert desk.rows()["firing/ops"] == ("dead", str(PERMANENT))
    assert "firing to ops: given up: the host answered 404 Not Found" in desk.timeline()
    own = desk.open()["channel/ops"]
    assert own.summary == "notices to the channel ops are lost: the host answered 404 Not Found"
    desk.step()
    assert desk.mail.taken == ["5f2c/firing/mail", f"{own.id}/firing/mail"]
    assert desk.ops.taken == []


def test_a_channel_that_keeps_refusing_has_one_incident(desk: Desk) -> None:
    desk.ops.script = [PERMANENT, PERMANENT]
    desk.tell("opened")
    desk.tell("opened", replace(SHOP, id="6a"))
    desk.step()
    assert [subject for subject in desk.open() if subject.startswith("channel/")] == ["channel/ops"]


def test_the_incident_of_a_channel_ends_when_it_takes_a_notice(desk: Desk) -> None:
    desk.ops.script = [PERMANENT]
    desk.tell("opened")
    desk.step()
    own = desk.open()["channel/ops"]
    desk.step()
    desk.tell("opened", replace(SHOP, id="6a"))
    desk.step()
    assert "channel/ops" not in desk.open()
    desk.step()
    assert desk.mail.taken[-1] == f"{own.id}/resolved/mail"


def test_when_all_channels_fail_nothing_runs_in_a_circle(desk: Desk) -> None:
    desk.ops.script, desk.mail.script = [PERMANENT] * 9, [PERMANENT] * 9
    desk.tell("opened")
    for _ in range(9):
        desk.step()
    assert desk.step() == 0
    assert set(desk.open()) == {"shop", "channel/ops", "channel/mail"}


def test_a_notice_is_given_up_after_a_day_of_trying(desk: Desk) -> None:
    desk.ops.script = [BUSY] * 1000
    desk.tell("opened")
    waited, tries = 0.0, 0
    while desk.rows()["firing/ops"][0] == "waiting":
        tries += desk.step(after=60.0)
        waited += 60.0
    assert 23.7 * HOUR < waited <= 24 * HOUR
    assert 90 < tries < 130
    assert "channel/ops" in desk.open()


def test_a_receiver_that_asks_for_more_than_a_day_is_given_up_at_once(desk: Desk) -> None:
    desk.ops.script = [DeliveryFailed("come back next week", retry_after=7 * 24 * HOUR)]
    desk.tell("opened")
    desk.step()
    assert desk.rows()["firing/ops"][0] == "dead"


def test_an_unknown_channel_is_given_up_once_every_notifier_has_had_time_to_learn_of_it(desk: Desk) -> None:
    desk.use(mail=desk.mail)
    desk.tell("opened")
    desk.step()
    assert desk.rows()["firing/ops"] == ("waiting", "no channel of the configuration is called ops")
    for _ in range(20):
        desk.step(after=60.0)
    assert desk.rows()["firing/ops"] == ("dead", "no channel of the configuration is called ops")
    assert "channel/ops" in desk.open()


def test_the_incident_of_a_channel_that_was_removed_ends_by_itself(desk: Desk) -> None:
    desk.ops.script = [PERMANENT]
    desk.tell("opened")
    desk.step()
    desk.step(after=2 * HOUR)
    assert "channel/ops" in desk.open()
    desk.use(mail=desk.mail)
    desk.step(after=60.0)
    assert set(desk.open()) == {"shop"}


def test_whatever_a_channel_raises_is_tried_again_and_its_message_stays_inside(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.ops.script = [ValueError("token hoot-7c1f")]
    desk.tell("opened")
    with caplog.at_level(logging.DEBUG):
        desk.step()
    assert desk.rows()["firing/ops"] == ("waiting", "unexpected ValueError in the channel")
    assert "unexpected ValueError at test_notify.py:" in caplog.text
    assert "hoot-7c1f" not in caplog.text + "".join(desk.timeline())
    assert desk.mail.taken == ["5f2c/firing/mail"]


def test_a_reload_takes_effect_with_the_next_step(desk: Desk) -> None:
    new = Scripted()
    desk.tell("opened")
    desk.use(ops=new, mail=desk.mail)
    desk.step()
    assert new.taken == ["5f2c/firing/ops"]


@given(st.text(max_size=30), st.integers(0, 200), st.none() | st.floats(0.0, 1e6))
def test_a_pause_is_bounded_at_least_what_was_asked_for_and_always_the_same(
    key: str, tries: int, asked: float | None
) -> None:
    waited = pause(key, tries, asked)
    assert waited == pause(key, tries, asked)
    assert waited >= (asked or 4.5)
    assert waited <= max(990.0, asked or 0.0)


def test_pauses_double() -> None:
    for tries in range(6):
        assert 1.6 < pause("key", tries + 1) / pause("key", tries) < 2.5


# -- acknowledging -------------------------------------------------------------------------------------------------


def test_an_acknowledgement_is_written_with_its_author(desk: Desk) -> None:
    desk.tell("opened")
    acknowledge(desk.store, SHOP.id, ALICE, START + 60)
    incident = desk.open()["shop"]
    assert (incident.acknowledged, incident.acknowledged_by) == (START + 60, "alice")
    assert desk.timeline() == ["opened", "acknowledged by alice"]


def test_the_first_acknowledgement_stays(desk: Desk) -> None:
    desk.tell("opened")
    acknowledge(desk.store, SHOP.id, ALICE, START + 60)
    assert acknowledge(desk.store, SHOP.id, BOB, START + 90).acknowledged_by == "alice"
    assert desk.timeline() == ["opened", "acknowledged by alice"]


def test_an_incident_that_does_not_exist_cannot_be_acknowledged(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no incident has the id nope"):
        acknowledge(desk.store, "nope", ALICE, START)


def test_an_incident_that_is_over_cannot_be_acknowledged(desk: Desk) -> None:
    desk.tell("opened")
    desk.tell("resolved", replace(SHOP, resolved=START + 1))
    with pytest.raises(Refused, match="shop"):
        acknowledge(desk.store, SHOP.id, ALICE, START + 2)
