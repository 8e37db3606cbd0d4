"""Publishes a recording over and over, with fresh ids and times, at a steady rate: a process of its own.

``python -m benchmarks.celery_stream.publish URL RECORDING --rate R --seconds S`` prints ``begins`` when it does, and
one line of JSON at the end: ``events``, ``seconds`` that it took, ``late`` (the most seconds that it was behind),
``unheard`` (messages that Redis had nobody to give to).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.celery_stream.brokers import Outlet, Portion, outlet
from benchmarks.celery_stream.recording import load
from benchmarks.celery_stream.templates import Template, Templates, templates

TICK = 0.004
"""Seconds between two portions."""

MOST = 2_000
"""Events in one portion, where there is no rate."""

TRIAL = 20_000
"""Events that are made first, to know how long it takes to make all."""

SPARE = 1.5
"""The times of that which it may take."""


def fresh_ids(number: int) -> list[bytes]:
    """So many ids that nobody has seen."""
    text = os.urandom(16 * number).hex().encode()
    found = (text[at : at + 32] for at in range(0, 32 * number, 32))
    return [b"%b-%b-%b-%b-%b" % (each[:8], each[8:12], each[12:16], each[16:20], each[20:]) for each in found]


def cycles(found: Templates, waiting: int) -> Iterator[tuple[Template, list[bytes]]]:
    """Yield templates and the ids for them without end; a task is sent ``waiting`` cycles before it is received."""
    ids = deque([[*fresh_ids(found.ids), b""] for _ in range(waiting + 1)])
    for cycle in count():
        for each in found.messages:
            if each.ahead:
                yield each, ids[-1]
            elif cycle >= waiting:
                yield each, ids[0]
        if cycle >= waiting:
            ids.popleft()
        ids.append([*fresh_ids(found.ids), b""])


class Stream:
    """Messages without end, in portions for an outlet."""

    def __init__(self, found: Templates, waiting: int, out: Outlet) -> None:
        self._cycles = cycles(found, waiting)
        self._out = out
        self._stamp = 0.0

    def portion(self, events: int, moment: float) -> tuple[int, Portion]:
        """Return the next events, of this moment (Unix time), and how many they are, as messages stay whole."""
        self._stamp, made = max(moment, self._stamp), 0
        while made < events:
            each, ids = next(self._cycles)
            ids[-1] = b"%.5f" % self._stamp
            self._out.put(each.key, each.text % each.pick(ids))
            made += each.events
            self._stamp += each.events * 1e-5
        return made, self._out.portion()


def prepared(new: Callable[[], Stream], rate: float, seconds: float) -> tuple[float, list[tuple[int, Portion]]]:
    """Make a steady stream, so that making it takes nothing from what is measured; when it starts, and its portions."""
    began = time.time()
    new().portion(TRIAL, began)
    start = time.time() + (time.time() - began) / TRIAL * rate * seconds * SPARE
    stream, made, portions = new(), 0, []
    for tick in range(round(seconds / TICK)):
        portions.append(stream.portion(round(rate * TICK * (tick + 1)) - made, start + tick * TICK))
        made += portions[-1][0]
    return start, portions


def live(new: Callable[[], Stream], out: Outlet, rate: float, seconds: float) -> dict[str, float]:
    """Publish at a steady rate."""
    start, portions = prepared(new, rate, seconds)
    _begin(start)
    late = 0.0
    for tick, (_, portion) in enumerate(portions):
        ahead = start + tick * TICK - time.time()
        late = max(late, -ahead)
        time.sleep(max(ahead, 0.0))
        out.send(portion)
    return {"events": sum(events for events, _ in portions), "seconds": time.time() - start, "late": late}


def full(stream: Stream, out: Outlet, events: int) -> dict[str, float]:
    """Publish so many as fast as can be."""
    _begin(began := time.time())
    done = 0
    while done < events:
        made, portion = stream.portion(min(events - done, MOST), time.time())
        out.send(portion)
        done += made
    return {"events": done, "seconds": time.time() - began, "late": 0.0}


def _begin(moment: float) -> None:
    time.sleep(max(0.0, moment - time.time()))
    print("begins", flush=True)


def publish(options: argparse.Namespace) -> dict[str, float]:
    """Publish, and say what was."""
    found = templates(load(Path(options.recording)), options.names, options.workers)
    with outlet(options.url) as out:
        new = partial(Stream, found, round(options.wait * options.rate / found.events), out)
        steady = options.rate > 0
        said = live(new, out, options.rate, options.seconds) if steady else full(new(), out, options.events)
        return said | {"unheard": out.end()}


def main() -> None:
    """Publish as the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("recording")
    parser.add_argument("--rate", type=float, default=0.0, help="events a second (0: as fast as can be)")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--events", type=int, default=100_000, help="how many, where there is no rate")
    parser.add_argument("--wait", type=float, default=0.5, help="seconds from being sent to being received")
    parser.add_argument("--names", type=int, default=2)
    parser.add_argument("--workers", type=int, default=4)
    print(json.dumps(publish(parser.parse_args())))


if __name__ == "__main__":
    main()
