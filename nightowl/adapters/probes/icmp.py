"""The ``icmp`` probe: one echo request, and the time until its reply."""

from __future__ import annotations

import secrets
import socket
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

from nightowl.adapters.probes import echo
from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect

TOKEN = 32
"""Random bytes that a reply must repeat, so that it cannot be another's, nor made up."""
_LARGEST = 2048


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Try ``icmp://host`` once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    host = urlsplit(trial.target.url).hostname
    if not host:
        raise Failure(TARGET, "an icmp URL needs a host: icmp://host")
    with trial.phase("connect"):
        opened = connect(host, 0, deadline, over="icmp")
    with opened:
        trial.address = opened.getpeername()[0]
        with trial.phase("first_byte"):
            _ping(opened, deadline)


def _ping(opened: socket.socket, deadline: float) -> None:
    token = secrets.token_bytes(TOKEN)
    opened.settimeout(max(deadline - monotonic(), 0.001))
    opened.send(echo.request(opened.family, token))
    raw = opened.type == socket.SOCK_RAW
    while (left := deadline - monotonic()) > 0:
        opened.settimeout(left)
        try:
            packet = opened.recv(_LARGEST)
        except TimeoutError:
            break
        if echo.answers(opened.family, raw, packet, token):
            return
    raise Failure("connect.timeout", "no echo reply within the time")
