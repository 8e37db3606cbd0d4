"""The ``celery`` probe: a canary task through a queue of a Celery installation, timed. See ``canary``."""

from __future__ import annotations

import ssl
from functools import partial
from time import monotonic
from urllib.parse import SplitResult, urlsplit

from nightowl.adapters.probes import canary as canaries
from nightowl.adapters.probes.canary import Canary, Lane
from nightowl.adapters.probes.canary_rabbitmq import RabbitLane
from nightowl.adapters.probes.canary_redis import RedisLane
from nightowl.adapters.probes.endpoint import endpoint
from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.handshake import Peer, secure
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect

TIDYING = 0.1
"""The part of the time left that is kept for taking back a canary which was not answered."""
MOST_TIDYING = 1.0

_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Send a canary through ``queue`` at a broker's URL once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    scheme = trial.target.url.partition("://")[0]
    if scheme not in _PORTS:
        raise Failure(TARGET, f"a broker's URL begins with one of {', '.join(_PORTS)}")
    host, port = endpoint(trial.target.url, _PORTS[scheme])
    with trial.phase("connect"):
        connection = connect(host, port, deadline)
    with connection:
        trial.address = connection.getpeername()[0]
        stream = Stream(connection, deadline)
        peer = secure(trial, stream, host) if scheme in ("rediss", "amqps") else None
        try:
            _fly(trial, stream, urlsplit(trial.target.url))
        except TimeoutError:
            raise Failure("celery.broker", "the broker did not answer in time") from None
        except ssl.SSLError:
            raise
        except OSError:
            raise _closed(trial, peer) from None


def _fly(trial: Trial, stream: Stream, url: SplitResult) -> None:
    """Send a canary and wait for it."""
    lane: Lane = RedisLane(stream, url) if url.scheme.startswith("redis") else RabbitLane(stream, url)
    canary = canaries.new(trial.target.queue)
    lane.open(canary)
    now = monotonic()
    reserve = min((stream.deadline - now) * TIDYING, MOST_TIDYING)
    with trial.phase("first_byte"):
        lane.send(canary)
        answered = lane.wait(canary, stream.deadline - reserve)
    trial.done()
    _judge(canary, answered, lane.close(canary, answered))


def _closed(trial: Trial, peer: Peer | None) -> Failure:
    """Why a broker closed the connection: in TLS 1.3 it refuses a certificate that is missing after the handshake."""
    if peer is not None and peer.asked and not trial.target.client_certificate:
        return Failure("tls.client_cert", "the broker asked for a client certificate and closed the connection")
    return Failure("celery.broker", "the broker closed the connection")


def _judge(canary: Canary, answered: bool, nobody: str) -> None:
    if nobody:
        raise Failure("celery.no_worker", nobody)
    if not answered:
        raise Failure("celery.timeout", f"no worker answered from the queue {canary.queue} in time")
