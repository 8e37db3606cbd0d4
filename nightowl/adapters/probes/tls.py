"""The ``tls`` probe: a handshake and nothing more: chain, name, expiry, version, the client's certificate."""

from __future__ import annotations

from functools import partial

from nightowl.adapters.probes.endpoint import endpoint
from nightowl.adapters.probes.handshake import await_refusal, secure
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Try ``tls://host:port`` once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    host, port = endpoint(trial.target.url)
    with trial.phase("connect"):
        connection = connect(host, port, deadline)
    with connection:
        trial.address = connection.getpeername()[0]
        stream = Stream(connection, deadline)
        peer = secure(trial, stream, host)
        trial.done()
        await_refusal(trial, stream, peer)
