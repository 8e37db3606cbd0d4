"""The machine of a rule and a series. All its transitions live here; it does not know what the rule looks at.

====================  ==============================  ==========================  =================  ================
from                  true                            false                       unknown, ``keep``  unknown, ``nodata``
====================  ==============================  ==========================  =================  ================
OK                    PENDING; FIRING if no ``for``   OK                          OK                 NODATA, once
PENDING               FIRING when ``for`` is over     OK                          PENDING            unknown for
FIRING                FIRING                          RECOVERING; OK if no        FIRING             ``nodata_after``
                                                      ``keep_firing``
RECOVERING            FIRING                          OK when that is over        RECOVERING
NODATA                FIRING if it was FIRING or      OK                          NODATA             NODATA
                      RECOVERING, else as from OK
====================  ==============================  ==========================  =================  ================

The policy ``ok`` reads unknown as false, ``alert`` reads it as true. Spans are measured in time, not in instants: one
that was missed is not unknown, and state is carried over it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from nightowl.core.condition import Truth
from nightowl.core.rule import Rule


class Phase(StrEnum):
    """Where a rule stands for a series."""

    OK = "OK"
    PENDING = "PENDING"
    FIRING = "FIRING"
    RECOVERING = "RECOVERING"
    NODATA = "NODATA"


class RuleState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered between instants (Unix seconds).

    ``since`` is when PENDING began, ``until`` when RECOVERING ends; ``unknown_since`` the first unknown instant of
    those in a row up to now; ``was_firing``: NODATA was entered from FIRING or RECOVERING.
    """

    phase: Phase = Phase.OK
    since: float = 0.0
    until: float = 0.0
    unknown_since: float | None = None
    was_firing: bool = False

    @property
    def firing(self) -> bool:
        """Whether ``recover`` is in force: it fired, and has not been back on the good side since."""
        return self.phase is Phase.FIRING or (self.phase is Phase.NODATA and self.was_firing)

    @property
    def open(self) -> bool:
        """Whether there is an incident: an episode lasts from FIRING to OK, whatever comes between."""
        return self.phase in (Phase.FIRING, Phase.RECOVERING) or (self.phase is Phase.NODATA and self.was_firing)


def timely(rule: Rule, state: RuleState, now: float) -> RuleState:
    """The state without moments that lie ahead of ``now``, which a clock that was wrong has left."""
    unknown = state.unknown_since
    return replace(
        state,
        since=min(state.since, now),
        until=min(state.until, now + rule.keep_firing),
        unknown_since=None if unknown is None else min(unknown, now),
    )


_READ_AS = {"ok": Truth.FALSE, "alert": Truth.TRUE}


def advance(rule: Rule, state: RuleState, truth: Truth, now: float) -> RuleState:
    """The state after the condition's truth at ``now``."""
    if truth is Truth.UNKNOWN:
        truth = _READ_AS.get(rule.nodata, truth)
    if truth is Truth.UNKNOWN:
        return _unknown(rule, state, now)
    if state.unknown_since is not None:
        state = replace(state, unknown_since=None)
    return _true(rule, state, now) if truth is Truth.TRUE else _false(rule, state, now)


def _true(rule: Rule, state: RuleState, now: float) -> RuleState:
    match state.phase:
        case Phase.FIRING:
            return state
        case Phase.PENDING:
            return RuleState(Phase.FIRING) if now - state.since >= rule.for_ else state
        case Phase.OK:
            return RuleState(Phase.PENDING, since=now) if rule.for_ > 0 else RuleState(Phase.FIRING)
        case Phase.RECOVERING:
            return RuleState(Phase.FIRING)
        case Phase.NODATA:
            return RuleState(Phase.FIRING) if state.was_firing else _true(rule, RuleState(), now)


def _false(rule: Rule, state: RuleState, now: float) -> RuleState:
    match state.phase:
        case Phase.FIRING if rule.keep_firing > 0:
            return RuleState(Phase.RECOVERING, until=now + rule.keep_firing)
        case Phase.RECOVERING if now < state.until:
            return state
        case _:
            return RuleState()


def _unknown(rule: Rule, state: RuleState, now: float) -> RuleState:
    since = now if state.unknown_since is None else state.unknown_since
    if rule.nodata == "nodata" and state.phase is not Phase.NODATA and now - since >= rule.nodata_after:
        return RuleState(Phase.NODATA, unknown_since=since, was_firing=state.open)
    return state if state.unknown_since is not None else replace(state, unknown_since=since)
