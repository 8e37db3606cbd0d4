"""Run attempts at hostile targets all at once: ``thread`` or ``gevent``; jobs from standard input, results to output.

Beside the attempts it tells how long each took from outside, and by how many KiB the process grew at its highest.
"""

from __future__ import annotations

import sys

if sys.argv[1:2] == ["gevent"]:
    from gevent import monkey

    monkey.patch_all()

import threading
import time
from pathlib import Path

import msgspec

from nightowl.adapters.probes import thread_engine
from nightowl.adapters.probes.built_in import BUILT_IN
from nightowl.core.values import Attempt, Policy, Target


class Job(msgspec.Struct):
    """A target and what may be reached."""

    target: Target
    policy: Policy


class Result(msgspec.Struct):
    """What came of all jobs, in their order."""

    attempts: list[Attempt]
    seconds: list[float]
    grown: int


def highest() -> int:
    """The most KiB that this process has held so far."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> Result:
    """Run what standard input says."""
    if sys.argv[1] == "gevent":
        from nightowl.adapters.probes.loop_gevent import gevent_engine as make  # noqa: PLC0415 - patches before
    else:
        make = thread_engine
    jobs = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Job])
    engine = make(BUILT_IN)
    engine.start()
    attempts: dict[int, Attempt] = {}
    seconds: dict[int, float] = {}
    finished = threading.Event()
    before = highest()
    for number, job in enumerate(jobs):

        def done(attempt: Attempt, number: int = number, began: float = time.monotonic()) -> None:
            attempts[number], seconds[number] = attempt, time.monotonic() - began
            if len(attempts) == len(jobs):
                finished.set()

        engine.submit(job.target, job.policy, job.target.timeout, done)
    if not finished.wait(60):
        sys.exit(f"done was not called for {sorted(set(range(len(jobs))) - set(attempts))}")
    grown = highest() - before
    engine.stop()
    order = range(len(jobs))
    return Result([attempts[number] for number in order], [seconds[number] for number in order], grown)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(main()))
