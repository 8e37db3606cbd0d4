"""Who is there, and what was missed."""

from __future__ import annotations

from nightowl.core.values import ActorSeen, Attempt, Outcome, Round, State
from nightowl.ports import Store, Ticket

DUE = 1_790_000_000.123


def seen(location: str, name: str, **facts: float) -> ActorSeen:
    return ActorSeen(name=name, location=location, since=DUE, heard=DUE + 1, **facts)  # type: ignore[arg-type]


def test_the_actors_are_those_that_were_put_last_by_location_and_name(store: Store) -> None:
    first = [seen("tokyo", "b"), seen("london", "b"), seen("london", "a", skew=-0.25, silent=DUE, offline=DUE)]
    with store.transaction() as unit:
        unit.actors.put(first)
    with store.read() as unit:
        assert unit.actors.all() == sorted(first, key=lambda each: (each.location, each.name))
    with store.transaction() as unit:
        unit.actors.put([seen("paris", "c", holding=3)])
    with store.read() as unit:
        assert unit.actors.all() == [seen("paris", "c", holding=3)]


def test_missed_rounds_are_counted_with_or_without_rounds_under_way(store: Store) -> None:
    with store.read() as unit:
        assert unit.rounds.missed() == 0
    with store.transaction() as unit:
        unit.rounds.dispatch(Ticket(id="1", rounds=(Round(DUE, "shop"),)), DUE, 2)
        unit.rounds.dispatch(None, DUE + 1, 5)
        unit.rounds.dispatch(None, DUE + 1)
    with store.read() as unit:
        assert unit.rounds.missed() == 5
        assert unit.rounds.scheduled_until() == DUE + 1
        assert len(unit.rounds.open_tickets()) == 1


def test_an_outcome_of_an_offline_location_is_kept_as_such(store: Store) -> None:
    failed = Attempt(state=State.DOWN, started=DUE, duration=0.1, reason="connect.timeout")
    outcome = Outcome(
        check="shop", due=DUE, location="london", state=State.UNKNOWN, attempts=(failed,), kept=0, offline=True
    )
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome])
    with store.read() as unit:
        assert unit.rounds.outcomes("shop", DUE) == [outcome]
        assert [each.offline for each in unit.rounds.votes([Round(DUE, "shop")])] == [True]
        assert unit.series.window("check_up", {}, 0.0, DUE + 1) == []
