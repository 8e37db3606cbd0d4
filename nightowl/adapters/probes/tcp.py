"""The ``tcp`` probe: connect, say ``send`` if there is something to say, and wait for ``expect.banner``."""

from __future__ import annotations

from functools import partial

from nightowl.adapters.probes.endpoint import endpoint
from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.redaction import quoted
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect

MAX_BANNER = 64 << 10
"""Bytes that are read while looking for the banner."""


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Try ``tcp://host:port`` once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    host, port = endpoint(trial.target.url)
    with trial.phase("connect"):
        connection = connect(host, port, deadline)
    with connection:
        trial.address = connection.getpeername()[0]
        try:
            _talk(trial, Stream(connection, deadline))
        except TimeoutError:
            reason = "http.timeout_body" if trial.heard else "http.timeout_headers"
            raise Failure(reason, "what was expected did not come in time") from None


def _talk(trial: Trial, stream: Stream) -> None:
    if trial.target.send:
        stream.send(trial.target.send.encode())
    wanted = trial.target.expect.banner
    while wanted and wanted.encode() not in trial.heard:
        with trial.phase("transfer" if trial.heard else "first_byte"):
            data = stream.receive()
        trial.heard += data
        if not data:
            raise Failure("assert.body", f"the peer closed without saying {quoted(wanted, trial.mask)}")
        if len(trial.heard) > MAX_BANNER:
            raise Failure("limit.body", "the peer said more than 64 KiB without the expected banner")
