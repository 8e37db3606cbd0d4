"""Heartbeats: from the calls of a job, and from their absence, to verdicts. Pure: ``now`` is an argument.

Every call that ends a run, and every deadline that passes without one, ends a period of the check with a verdict:

- *success* is up, *fail* (or an exit code other than 0) is down, at the moment of the call. The next call is then
  expected ``every`` seconds later, or at the next moment of ``cron``.
- *start* says that a run is under way, which must end within ``grace`` from then. A start that comes while a run is
  under way does not prolong it: a job that only ever starts is down.
- A deadline that passes is down, at the moment of the deadline; the period after it has a deadline of its own. Of those
  that pass at once, ``ROW`` are; the rest is left out.

A call counts from ``now`` at the latest: the clock of whoever took it may be ahead.

Nothing is expected before the first call.

A check of kind ``task`` follows the runs of a task in the same way; what is different stands in ``core.runs``.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from math import floor

from msgspec.structs import replace

from nightowl.core import runs
from nightowl.core.cron import moments
from nightowl.core.runs import Span, local
from nightowl.core.values import Check, Heartbeat, Ping, Pulse, State, Verdict

EARLY = 30.0
"""Seconds by which a call may come before the moment that it is for: clocks differ, and cron's may be ahead."""

ROW = 60
"""Missed periods that one look ends with a verdict each; later ones tell nobody anything new."""

_TOKEN_BYTES = 24


def token(key: bytes, serial: int, generation: int) -> str:
    """Derive the secret part of a heartbeat's URL (192 bits) from the installation's key: it is never stored.

    ``serial`` is the store's number of the check, which no other check ever has; ``generation`` counts its URLs.
    """
    message = f"heartbeat\0{serial}\0{generation}".encode()
    return urlsafe_b64encode(hmac.digest(key, message, "sha256")[:_TOKEN_BYTES]).decode()


def token_hash(secret: str) -> bytes:
    """What the store knows of a token."""
    return sha256(secret.encode()).digest()


def expected_after(plan: Heartbeat, moment: float) -> float:
    """When the next call is expected after one at ``moment``, which may have come a little early for its own."""
    if plan.every:
        return round(moment + plan.every, 3)
    coming = moments(plan.cron, plan.timezone, moment)
    first, second = next(coming), next(coming)
    early = min(EARLY, (second - first) / 4)
    return second if first - moment <= early else first


def follow(pulse: Pulse | None, check: Check, plan: Heartbeat, now: float) -> Pulse:
    """Bring a pulse in line with its check's definition: made, paused, resumed, or on another plan than before.

    A heartbeat that is resumed, or whose new plan would make it late already, is counted from ``now`` on; so is the
    check of a task from the first: nobody has to teach a task to call.
    """
    if pulse is None or (pulse.plan.cluster, pulse.plan.task) != (plan.cluster, plan.task):
        new = Pulse(check=check.name, plan=plan, resting=check.paused)
        return _count(new, now) if plan.task and not check.paused else new
    if check.paused:
        return rest(replace(pulse, plan=plan))
    if pulse.resting:
        awake = replace(pulse, plan=plan, resting=False)
        return _count(awake, now) if plan.task or awake.counted is not None else awake
    if pulse.plan == plan:
        return pulse
    changed = replace(pulse, plan=plan, started=None)
    if changed.counted is None:
        return changed
    counted = _count(changed, changed.counted)
    return counted if counted.deadline is not None and counted.deadline > now else _count(changed, now)


def rest(pulse: Pulse) -> Pulse:
    """Expect nothing until the check runs (again)."""
    return replace(pulse, resting=True, expected=None, deadline=None, started=None, runs=())


def heard(ping: Ping, now: float) -> Ping:
    """A call as it counts: nothing that the future holds has been heard."""
    return ping if ping.at <= now else replace(ping, at=now)


def take(pulse: Pulse, ping: Ping, now: float) -> tuple[Pulse, Verdict | None]:
    """Fold one call into a pulse; a start has no verdict, nor has any call of a check that rests."""
    if pulse.resting:
        return replace(pulse, counted=ping.at), None
    if pulse.plan.task:
        return _take_run(pulse, ping, now)
    if ping.signal == "start":
        begun = _count(pulse, ping.at) if pulse.expected is None else pulse
        deadline = round(ping.at + pulse.plan.grace, 3) if pulse.started is None else pulse.deadline
        return replace(begun, deadline=deadline, started=ping.at), None
    took = None if pulse.started is None else max(0.0, round(ping.at - pulse.started, 3))
    reason, detail = _failure(ping)
    verdict = Verdict(
        check=ping.check,
        due=round(ping.at, 3),
        closed=now,
        state=State.DOWN if reason else State.UP,
        places=(),
        reason=reason,
        detail=detail,
        duration=took,
    )
    return _count(pulse, max(ping.at, pulse.counted or 0.0)), verdict


def due(pulse: Pulse) -> float | None:
    """When a deadline or a run's time is over next (None: nothing is waited for)."""
    overrun = runs.due(pulse)
    return pulse.deadline if overrun is None else overrun if pulse.deadline is None else min(pulse.deadline, overrun)


def missed(pulse: Pulse, until: float, now: float, deaf: Sequence[Span] = ()) -> tuple[Pulse, list[Verdict]]:
    """End the periods whose deadlines have passed by ``until``: each is down, and the next one begins.

    After ``ROW`` of them the next one that begins is that whose deadline lies after ``until``. In the spans ``deaf``
    nothing could be heard of tasks: what ought to have been heard then is unknown.
    """
    verdicts = []
    while (moment := due(pulse)) is not None and moment <= until:
        if moment != pulse.deadline:
            pulse, verdict = runs.overrun(pulse, deaf, now)
            verdicts.append(verdict)
            continue
        verdicts.append(_late(pulse, moment, deaf, now))
        expected = _next_expected(pulse, moment if len(verdicts) < ROW else until)
        pulse = replace(pulse, expected=expected, deadline=round(expected + pulse.plan.grace, 3), started=None)
    return pulse, verdicts


def waited_since(pulse: Pulse) -> float:
    """From when on what is waited for may have been heard; ``due`` is when the waiting is over."""
    begun = [run.at for run in pulse.runs]
    return min(begun if pulse.expected is None else [*begun, _awaited(pulse.plan, pulse.expected)], default=0.0)


def extended(pulse: Pulse, since: float, until: float) -> Pulse:
    """Move a deadline that lies ahead of ``since`` by the span to ``until``, in which nobody took calls up."""
    if pulse.deadline is None or pulse.deadline <= since or until <= since:
        return pulse
    return replace(pulse, deadline=round(pulse.deadline + until - since, 3))


def _count(pulse: Pulse, moment: float) -> Pulse:
    expected = expected_after(pulse.plan, moment)
    deadline = round(expected + pulse.plan.grace, 3)
    return replace(pulse, counted=moment, expected=expected, deadline=deadline, started=None)


def _take_run(pulse: Pulse, ping: Ping, now: float) -> tuple[Pulse, Verdict | None]:
    """A start meets what was expected; the end of a run whose start was seen expects nothing anew."""
    run = runs.find(pulse, ping.run)
    counted = _count(pulse, max(ping.at, pulse.counted or 0.0)) if run is None else pulse
    if ping.signal == "start":
        return (runs.begun(counted, ping) if run is None else pulse), None
    return runs.ended(counted, ping, run, now)


def _next_expected(pulse: Pulse, deadline: float) -> float:
    """The first expected moment whose own deadline is later; a run that was lost counts as the one it was begun for."""
    plan = pulse.plan
    expected = deadline if pulse.expected is None else pulse.expected
    if pulse.started is not None:
        expected = expected_after(plan, pulse.started)
    over = deadline - plan.grace
    if expected > over:
        return expected
    if plan.every:
        return round(expected + (floor((over - expected) / plan.every) + 1) * plan.every, 3)
    return next(moments(plan.cron, plan.timezone, over))


def _failure(ping: Ping) -> tuple[str, str]:
    if ping.signal == "success":
        return "", ""
    if ping.exit_code is None:
        return "heartbeat.failed", ""
    return "heartbeat.exit", f"the job ended with exit code {ping.exit_code}"


def _awaited(plan: Heartbeat, expected: float) -> float:
    """From when on a start may come that is the one expected then."""
    return expected - (plan.every or EARLY)


def _late(pulse: Pulse, deadline: float, deaf: Sequence[Span], now: float) -> Verdict:
    if pulse.plan.task:
        expected = deadline if pulse.expected is None else pulse.expected
        return runs.late(pulse, expected, runs.unheard(deaf, _awaited(pulse.plan, expected), deadline), now)
    until = local(deadline, pulse.plan)
    if pulse.started is not None:
        reason, detail = "heartbeat.unfinished", f"the job started {local(pulse.started, pulse.plan)}"
        detail += f" and had not ended by {until}"
    else:
        expected = deadline if pulse.expected is None else pulse.expected
        reason, detail = "heartbeat.late", f"the job was expected {local(expected, pulse.plan)}"
        detail += f" and had not called by {until}"
    return Verdict(
        check=pulse.check, due=deadline, closed=now, state=State.DOWN, places=(), reason=reason, detail=detail
    )
