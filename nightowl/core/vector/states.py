"""The machine of ``core.rule_state`` over many rows at once."""

from __future__ import annotations

from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.vector.arrays import Bools, Floats, Rows
from nightowl.core.vector.truths import FALSE, TRUE, UNKNOWN

PHASES = (Phase.OK, Phase.PENDING, Phase.FIRING, Phase.RECOVERING, Phase.NODATA)
_OK, _PENDING, _FIRING, _RECOVERING, _NODATA = map(np.int8, range(5))


class States(NamedTuple):
    """The fields of ``RuleState``, one entry a row; ``unknown_since`` is NaN where it is None."""

    phase: NDArray[np.int8]
    since: Floats
    until: Floats
    unknown_since: Floats
    was_firing: Bools

    @property
    def firing(self) -> Bools:
        """See ``RuleState.firing``."""
        return np.asarray((self.phase == _FIRING) | ((self.phase == _NODATA) & self.was_firing))

    @property
    def open(self) -> Bools:
        """See ``RuleState.open``."""
        return np.asarray(self.firing | (self.phase == _RECOVERING))

    @property
    def resting(self) -> Bools:
        """Where the phase is OK."""
        return np.asarray(self.phase == _OK)

    def get(self, row: int) -> RuleState:
        """The state of one row."""
        phase, since, until, unknown, was = (field[row].item() for field in self)
        return RuleState(PHASES[phase], since, until, None if isnan(unknown) else unknown, was)

    def put(self, row: int, state: RuleState) -> None:
        """Set the state of one row."""
        self.phase[row] = PHASES.index(state.phase)
        self.since[row], self.until[row] = state.since, state.until
        self.unknown_since[row] = np.nan if state.unknown_since is None else state.unknown_since
        self.was_firing[row] = state.was_firing

    def rest(self, rows: Rows) -> None:
        """Let these rows be as new ones."""
        for field in (self.phase, self.since, self.until, self.was_firing):
            field[rows] = 0
        self.unknown_since[rows] = np.nan

    def differ(self, other: States) -> Bools:
        """Where the two are not equal."""
        found: Bools = self.phase != other.phase
        found |= (self.since != other.since) | (self.until != other.until) | (self.was_firing != other.was_firing)
        found |= np.isnan(self.unknown_since) != np.isnan(other.unknown_since)
        found |= np.abs(self.unknown_since - other.unknown_since) > 0
        return found


def at_rest(rows: int) -> States:
    """The states of new rows."""
    times = (np.zeros(rows), np.zeros(rows), np.full(rows, np.nan))
    return States(np.zeros(rows, np.int8), *times, np.zeros(rows, bool))


def grown(states: States, rows: int) -> States:
    """The same with room for more rows."""
    more = at_rest(rows - len(states.phase))
    return States(
        np.concatenate((states.phase, more.phase)),
        np.concatenate((states.since, more.since)),
        np.concatenate((states.until, more.until)),
        np.concatenate((states.unknown_since, more.unknown_since)),
        np.concatenate((states.was_firing, more.was_firing)),
    )


def either(where: Bools, one: States, other: States) -> States:
    """The one's entries at these rows, the other's at the rest."""
    return States(
        np.where(where, one.phase, other.phase),
        np.where(where, one.since, other.since),
        np.where(where, one.until, other.until),
        np.where(where, one.unknown_since, other.unknown_since),
        np.where(where, one.was_firing, other.was_firing),
    )


def advance(rule: Rule, states: States, truth: NDArray[np.int8], now: float) -> States:
    """The states after these truths at ``now``; see ``rule_state.advance``."""
    phase = states.phase
    read_as = {"ok": FALSE, "alert": TRUE}.get(rule.nodata)
    if read_as is not None:
        truth = np.where(truth == UNKNOWN, read_as, truth)
    true, false, unknown = (truth == each for each in (TRUE, FALSE, UNKNOWN))
    again = (phase == _RECOVERING) | ((phase == _NODATA) & states.was_firing)
    anew = (phase == _OK) | ((phase == _NODATA) & ~states.was_firing)
    due = (phase == _PENDING) & (now - states.since >= rule.for_)
    fires = true & (again | due | (anew if rule.for_ <= 0 else False))
    waits = true & anew & (rule.for_ > 0)
    ends = false & (phase == _FIRING)
    recovers = ends & (rule.keep_firing > 0)
    rests = false & ~recovers & ~((phase == _RECOVERING) & (now < states.until))
    silent = np.where(np.isnan(states.unknown_since), now, states.unknown_since)
    lost = unknown & (phase != _NODATA) & (now - silent >= rule.nodata_after) & (rule.nodata == "nodata")
    moved = fires | waits | recovers | rests | lost
    after = phase.copy()
    for where, into in ((fires, _FIRING), (waits, _PENDING), (recovers, _RECOVERING), (rests, _OK), (lost, _NODATA)):
        after[where] = into
    since = np.where(waits, now, np.where(moved, 0.0, states.since))
    until = np.where(recovers, now + rule.keep_firing, np.where(moved, 0.0, states.until))
    was = np.where(lost, states.open, states.was_firing & ~moved)
    return States(after, since, until, np.where(unknown, silent, np.nan), was)
