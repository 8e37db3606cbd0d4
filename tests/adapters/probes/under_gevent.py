"""Run attempts on the gevent engine: targets from standard input, attempts to standard output, both as JSON.

Beside them a greenlet keeps time; what the longest pause between two of its beats was is the last line.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402  after patching, as in an actor
import threading  # noqa: E402
import time  # noqa: E402
from itertools import pairwise  # noqa: E402

import gevent  # noqa: E402
import msgspec  # noqa: E402

from nightowl.adapters.probes.built_in import BUILT_IN  # noqa: E402
from nightowl.adapters.probes.loop_gevent import gevent_engine  # noqa: E402
from nightowl.core.values import Attempt, Policy, Target  # noqa: E402

engine = gevent_engine(BUILT_IN)
engine.start()
targets = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Target])
results: dict[int, Attempt] = {}
beats = [time.monotonic()]
finished = gevent.event.Event()


def beat():
    while True:
        gevent.sleep(0.001)
        beats.append(time.monotonic())


def submit():
    for number, target in enumerate(targets):

        def done(attempt, number=number):
            results[number] = attempt
            if len(results) == len(targets):
                finished.set()

        engine.submit(target, Policy(reach="any"), target.timeout, done)


gevent.spawn(beat)
gevent.get_hub().threadpool.spawn(submit).get()
assert threading.current_thread() is threading.main_thread()
if not finished.wait(60):
    sys.exit("done was not called for every attempt")
pause = max(after - before for before, after in pairwise(beats))
engine.stop()
sys.stdout.buffer.write(msgspec.json.encode({"attempts": [results[i] for i in range(len(targets))], "pause": pause}))
