"""Publishes a recording over and over, with fresh ids and times, at a steady rate: a process of its own.

``python -m benchmarks.celery_stream.publish URL RECORDING --rate R --seconds S`` prints one line of JSON at the end:
``events``, ``seconds`` that it took, ``late`` (the most seconds that it was behind), ``unheard`` (messages that
Redis had nobody to give to).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from benchmarks.celery_stream.brokers import outlet
from benchmarks.celery_stream.recording import load
from benchmarks.celery_stream.templates import Template, Templates, templates

TICK = 0.004
"""Seconds between two portions."""

MOST = 2_000
"""Events in one portion, where it is behind."""


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


def publish(options: argparse.Namespace) -> dict[str, object]:
    """Publish, and say what was."""
    found = templates(load(Path(options.recording)), options.names, options.workers)
    target = options.rate * options.seconds if options.rate else options.events
    waiting = round(options.wait * options.rate / found.events)
    done, late, stamp = 0, 0.0, 0.0
    stream = cycles(found, waiting)
    with outlet(options.url) as out:
        began = time.perf_counter()
        while done < target:
            passed = time.perf_counter() - began
            due = min(passed * options.rate if options.rate else target, target)
            late = max(late, (due - done) / options.rate) if options.rate else 0.0
            stamp, first = max(time.time(), stamp), done
            while done < due and done - first < MOST:
                each, ids = next(stream)
                ids[-1] = b"%.5f" % stamp
                out.put(each.key, each.text % each.pick(ids))
                done += each.events
                stamp += each.events * 1e-5
            out.flush()
            if done >= due:
                time.sleep(TICK)
        seconds = time.perf_counter() - began
        unheard = out.end()
    return {"events": done, "seconds": seconds, "late": late, "unheard": unheard}


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
