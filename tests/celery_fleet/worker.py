"""A worker's process: ``celery worker`` that ends, with all of its children, when its standard input does.

Whoever started it holds that open, and the kernel closes it however the other one ends.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys

from celery.__main__ import main


def _end_with_input() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _thread.start_new_thread(_end_with_input, ())  # a thread that gevent knows nothing of
    sys.argv = ["celery", "-A", "tests.celery_fleet.tasks", "worker", *sys.argv[1:]]
    main()
