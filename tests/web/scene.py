"""A small company's monitoring at one moment, made by the core's own functions: what pages show in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from nightowl.core import heartbeat, incident
from nightowl.core.values import (
    ActorSeen,
    Attempt,
    Certificate,
    Change,
    Check,
    CheckState,
    Entry,
    Heartbeat,
    Incident,
    Location,
    Notice,
    Outcome,
    Phases,
    Ping,
    Policy,
    Round,
    Sample,
    Severity,
    State,
    Target,
    Verdict,
)
from nightowl.core.verdict import decide
from nightowl.ports import Store, StoredCheck, Unit

LOCATIONS = {
    "frankfurt": Location(name="frankfurt", labels={"region": "eu"}),
    "london": Location(name="london"),
    "office": Location(name="office", policy=Policy(reach="private")),
}
CHECKOUT = "shop-checkout"
DAY = 86400.0

Story = Callable[[int, str], tuple[State, str, str]]
"""From how many rounds ago and which location to a state, a reason and a detail."""


def fine(_ago: int, _location: str) -> tuple[State, str, str]:
    return State.UP, "", ""


def expired(ago: int, _location: str) -> tuple[State, str, str]:
    return (State.DOWN, "tls.expired", "") if ago < 5 else (State.UP, "", "")


def slow(ago: int, _location: str) -> tuple[State, str, str]:
    return (State.DEGRADED, "assert.latency", "slower than 2 s: it took 2.41 s") if ago < 12 else (State.UP, "", "")


def flapping(ago: int, _location: str) -> tuple[State, str, str]:
    return (State.DOWN, "http.status", "status 503, expected 200-299") if ago % 17 in (4, 5, 6) else (State.UP, "", "")


def only_office(_ago: int, location: str) -> tuple[State, str, str]:
    return (State.DOWN, "connect.refused", "") if location == "office" else (State.UP, "", "")


def just_failed(ago: int, _location: str) -> tuple[State, str, str]:
    return (State.DOWN, "connect.timeout", "") if ago == 0 else (State.UP, "", "")


def nobody(ago: int, _location: str) -> tuple[State, str, str]:
    return (State.UNKNOWN, "own.backlog", "") if ago < 3 else (State.UP, "", "")


STORIES: dict[str, Story] = {
    CHECKOUT: expired,
    "shop-search": slow,
    "shop-login": flapping,
    "intranet-wiki": only_office,
    "payments-api": just_failed,
    "vpn-gateway": nobody,
    "shop-front": fine,
}


def fill(store: Store, now: float, *, more: int = 12) -> None:
    """Put the whole scene into a store, as of ``now``."""
    with store.transaction() as unit:
        for name, story in STORIES.items():
            define(unit, name)
            play(unit, name, story, now, rounds=60)
            past(unit, name, story, now)
        for number in range(more):
            name = f"customer-{number + 1:02}"
            define(unit, name, tags={"team": "customers"})
            play(unit, name, fine, now, rounds=3)
        define(unit, "nightly-report", paused=True)
        define(unit, "brand-new")
        define(unit, "from-file", origin="file", headers={"Authorization": "${env:FILE_TOKEN}"})
        own(unit, now)
        actors(unit, now)
        notices(unit, now)
        unit.series.append("test", now - 1, [Sample("nightowl_queue_length", (("location", 'a"b\\c'),), now - 1, 3.0)])
        spread = {"0.5": 0.012, "0.95": 0.081}
        unit.series.append(
            "test",
            now,
            [
                Sample("nightowl_round_spread_seconds", (("quantile", q),), now - 4, value)
                for q, value in spread.items()
            ],
        )


def define(unit: Unit, name: str, *, paused: bool = False, origin: str = "stored", **more: object) -> None:
    """A check with a secret in it."""
    spec = {
        "url": f"https://{name}.example/health?token=verysecret",
        "every": "1m",
        "expect": {"body": "ok"},
        "tags": {"team": "shop", "tier": "1"},
        "runbook": "https://wiki.example/runbooks/shop",
        "headers": {"Accept": "application/json", "X-Api-Key": "verysecret"},
        "auth": {"basic": "probe:verysecret"},
    } | more
    unit.checks.put(StoredCheck(name=name, origin=origin, paused=paused, spec=spec, changed=1.0))  # type: ignore[arg-type]


def play(unit: Unit, name: str, story: Story, now: float, *, rounds: int) -> None:
    """Rounds a minute apart, the newest 20 seconds old, with incidents as the machine opens and closes them."""
    check = checked(name)
    state = CheckState(check=name)
    verdicts: list[Verdict] = []
    changes: dict[str, Incident] = {}
    for ago in reversed(range(rounds)):
        due = float(int(now - 20)) - 60.0 * ago
        outcomes = [outcome(name, due, ago, location, story) for location in LOCATIONS]
        votes = {each.location: each for each in outcomes}
        unit.rounds.add_outcomes([each for each in outcomes if each.attempts])
        verdict = decide(Round(due, name), list(LOCATIONS), votes, None, due + 1.4)
        state, move = incident.advance(check, state, verdict)
        verdicts.append(verdict)
        if move:
            change = incident.change(check, move, changes.get(move.incident))
            changes[move.incident] = change.incident
            unit.incidents.apply([change])
    unit.rounds.close(verdicts, [state])


def past(unit: Unit, name: str, story: Story, now: float) -> None:
    """Three rounds a day for most of the last 90 days, so that days have counts; the first days are a gap."""
    bad = {CHECKOUT: {20, 21}, "shop-login": {3, 11, 40}, "shop-search": {30}}.get(name, set())
    verdicts = [
        Verdict(
            check=name, due=now - DAY * day - hour, closed=now - DAY * day, state=_state(day in bad, hour), places=()
        )
        for day in range(1, 80)
        for hour in (1000.0, 2000.0, 3000.0)
    ]
    unit.rounds.close(verdicts, [])


def _state(bad: bool, hour: float) -> State:
    return (State.DOWN if hour < 1500 else State.DEGRADED) if bad else State.UP


def checked(name: str) -> Check:
    target = Target(kind="https", url=f"https://{name}.example/health")
    return Check(
        name=name,
        target=target,
        locations=tuple(LOCATIONS),
        tags={"team": "shop"},
        runbook="https://wiki.example/runbooks/shop",
    )


def outcome(name: str, due: float, ago: int, location: str, story: Story) -> Outcome:
    """Three attempts of a location, the second one kept where they are good; none where nothing is known."""
    state, reason, detail = story(ago, location)
    if state is State.UNKNOWN and location != "london":
        return Outcome(check=name, due=due, location=location, state=state, attempts=(), actor=f"{location}-1")
    good = State.UP if state is State.UNKNOWN else state
    attempts = tuple(attempt(due, number, good, reason, detail, ago, location) for number in range(3))
    return Outcome(check=name, due=due, location=location, state=good, attempts=attempts, kept=1, actor=f"{location}-1")


def attempt(due: float, number: int, state: State, reason: str, detail: str, ago: int, location: str) -> Attempt:
    base = {"frankfurt": 0.9, "london": 1.0, "office": 1.6}[location] * (1 + 0.25 * ((ago * 7 + number * 3) % 5))
    slow = 2.2 if state is State.DEGRADED else 0.0
    broken = state is State.DOWN
    phases = Phases(
        dns=0.004 * base,
        connect=None if reason.startswith("connect") else 0.018 * base,
        tls=None if broken else 0.041 * base,
        first_byte=None if broken else 0.062 * base + slow,
        transfer=None if broken else 0.009 * base,
    )
    duration = sum(filter(None, (phases.dns, phases.connect, phases.tls, phases.first_byte, phases.transfer)))
    return Attempt(
        state=state,
        started=due + 0.02 + number * (0.25 + slow),
        duration=duration,
        phases=phases,
        status=None if broken else 200,
        address="203.0.113.7:443",
        reason=reason,
        detail=detail,
        certificate=certificate(due, expired=reason == "tls.expired"),
        excerpt="" if broken else '{"status": "ok", "version": "4.1.0", "note": "<b>not bold</b>"}',
    )


def certificate(now: float, *, expired: bool) -> Certificate:
    return Certificate(
        subject="CN=shop.example",
        issuer="CN=Example Issuing CA R3",
        not_before=float(int(now - 60 * DAY)),
        not_after=float(int(now - 240)) if expired else float(int(now + 41 * DAY)),
        names=("shop.example", "www.shop.example"),
        chain=("CN=shop.example", "CN=Example Issuing CA R3", "CN=Example Root"),
        protocol="TLSv1.3",
        problem="expired" if expired else "",
    )


def own(unit: Unit, now: float) -> None:
    """An incident about NightOwl itself."""
    found = Incident(
        id="own-office-1",
        kind="own",
        subject="location/office",
        severity=Severity.WARNING,
        summary="The actors at office have been silent for 4 minutes.",
        opened=now - 240,
    )
    unit.incidents.apply([Change(event="opened", incident=found, at=now - 240, text=found.summary)])


def actors(unit: Unit, now: float) -> None:
    """Who works where: one with a wrong clock, one that cannot reach its control targets, one that fell silent."""
    places = (("frankfurt", "fra-1.4711"), ("london", "lon-1.812"), ("office", "nas.77"), ("office", "desk-3.2040"))
    odd: dict[str, dict[str, float]] = {
        "lon-1.812": {"skew": 3.127},
        "nas.77": {"skew": -0.031, "offline": now - 300},
        "desk-3.2040": {"silent": now - 240},
    }
    unit.actors.put(
        [
            ActorSeen(
                name=name,
                location=location,
                since=now - 7200,
                heard=odd.get(name, {}).get("silent", now - 0.4),
                holding=2 if name == "fra-1.4711" else 0,
                **{"skew": 0.008, **odd.get(name, {})},  # type: ignore[arg-type]  # floats, by the names of fields
            )
            for location, name in places
        ]
    )


def open_incident(unit: Unit, check: str) -> Incident:
    return next(found for found in unit.incidents.open() if found.subject == check)


def notices(unit: Unit, now: float) -> None:
    """What became of the notices about the checkout: one sent, one waiting after a failure."""
    found = open_incident(unit, CHECKOUT)
    sent = Notice(incident=found, step="firing", channel="ops-mail", created=found.opened)
    waiting = Notice(incident=found, step="firing", channel="ops-hook", created=found.opened)
    unit.outbox.add([sent, waiting])
    for claimed in unit.outbox.claim(now, "test", 30.0, 10):
        if claimed.notice.channel == "ops-mail":
            unit.outbox.sent(claimed.id, now - 200)
            entry = Entry(incident=found.id, at=now - 200, event="notice", text="ops-mail was told (firing).")
            unit.incidents.note(entry)
        else:
            unit.outbox.retry(claimed.id, now + 30, "503 Service Unavailable")


def names(rows: Iterable[StoredCheck]) -> list[str]:
    return [row.name for row in rows]


BACKUP = "nightly-backup"
PLAN = Heartbeat(cron="0 3 * * *", timezone="Europe/Paris", grace=1200.0)


def beat(unit: Unit, now: float) -> None:
    """Two jobs that call: one for a month, which failed last night, and one that has not called yet."""
    for name in (BACKUP, "weekly-report"):
        spec = {
            "kind": "heartbeat",
            "cron": PLAN.cron,
            "timezone": PLAN.timezone,
            "grace": "20m",
            "tags": {"team": "shop"},
        }
        unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec=spec, changed=1.0))
    check = Check(name=BACKUP, target=Target(kind="heartbeat", url=""), locations=(), heartbeat=PLAN, down_after=1)
    pulse, state = heartbeat.follow(None, check, PLAN, 0.0), CheckState(check=BACKUP)
    for ago in reversed(range(30)):
        for ping in night(now - 7200.0 - DAY * ago, failed=ago in (0, 12)):
            unit.heartbeats.add(ping)
            pulse, verdict = heartbeat.take(pulse, ping, ping.at)
            if verdict is not None:
                state, move = incident.advance(check, state, verdict)
                unit.rounds.close([verdict], [state])
                if move is not None:
                    unit.incidents.apply([incident.change(check, move, unit.incidents.get(move.incident))])
    unit.heartbeats.take(unit.heartbeats.untaken(1000))
    unit.heartbeats.save([pulse])


def night(moment: float, *, failed: bool) -> list[Ping]:
    """The calls of one run."""
    log = "pg_dump: error: <b>connection</b> to server failed\nexit status 1\n" if failed else ""
    signal: Literal["success", "fail"] = "fail" if failed else "success"
    end = Ping(check=BACKUP, at=moment + 734.2, signal=signal, exit_code=int(failed), source="192.0.2.7", tail=log)
    return [Ping(check=BACKUP, at=moment, signal="start", source="192.0.2.7"), end]
