"""An attempt of a blocking probe in the making: what is known of it so far, and what becomes of it in the end."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, time
from typing import Literal

from nightowl.adapters.probes.body import EXCERPT, GLIMPSE, excerpt
from nightowl.adapters.probes.expectations import shortcomings
from nightowl.adapters.probes.failure import Failure, state_of
from nightowl.adapters.probes.reasons import explain_socket, explain_tls
from nightowl.adapters.probes.redaction import redactor
from nightowl.core.values import Attempt, Certificate, Phases, State, Target

Phase = Literal["dns", "connect", "tls", "first_byte", "transfer"]


class Trial:
    """What a probe notes while it tries a target; ``heard`` is what the peer said, for the excerpt."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.mask = redactor(target)
        self.started = time()
        self.began = monotonic()
        self.heard = b""
        self.address = ""
        self.status: int | None = None
        self.certificate: Certificate | None = None
        self._spent: dict[Phase, float] = {}
        self._took: float | None = None

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Count the time of what is done within as a phase's, whether it ends well or not."""
        began = monotonic()
        try:
            yield
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + monotonic() - began

    def done(self) -> None:
        """Stop the clock: what follows is politeness, and none of the attempt's duration."""
        self._took = monotonic() - self.began

    def conclude(self, failure: Failure | None) -> Attempt:
        """The attempt, as it was ended by ``failure`` (None: well, but perhaps not well enough)."""
        duration = round(monotonic() - self.began if self._took is None else self._took, 6)
        phases = Phases(**{name: round(spent, 6) for name, spent in self._spent.items()})
        if failure is None:
            reason, detail = shortcomings(self.target.warn, duration, self.certificate, self.started)
            state = State.DEGRADED if reason else State.UP
        else:
            reason, detail, state = failure.reason, failure.detail, state_of(failure.reason)
            phases = phases if failure.phases == Phases() else failure.phases
        return Attempt(
            state=state,
            started=self.started,
            duration=duration,
            phases=phases,
            status=self.status,
            address=(failure.address if failure else "") or self.address,
            reason=reason,
            detail=self.mask(detail),
            certificate=self.certificate,
            excerpt=excerpt(self.heard, self.mask, GLIMPSE if failure is None else EXCERPT),
        )


def tried(target: Target, hold: Callable[[Trial], None]) -> Attempt:
    """The attempt that ``hold`` makes of a trial by raising the failure of what goes wrong."""
    trial = Trial(target)
    try:
        hold(trial)
    except Failure as failure:
        return trial.conclude(failure)
    except ssl.SSLError as error:
        return trial.conclude(explain_tls(error))
    except OSError as error:
        return trial.conclude(explain_socket(error))
    return trial.conclude(None)
