"""One process of the sample fleet: ``python -m nightowl.demo.fleet_process TRANSPORT traffic``, or a worker's options.

It ends as soon as its standard input does, which whoever started it holds open: the kernel closes it however the other
one ended.
"""

from __future__ import annotations

import os
import sys
import threading

from kombu.transport import TRANSPORT_ALIASES

TRAFFIC = "traffic"


def main(transport: str, *arguments: str) -> None:
    """Send traffic, or work with these options of ``celery worker``; ``transport`` is what ``filesystem://`` means."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    TRANSPORT_ALIASES["filesystem"] = transport
    if arguments == (TRAFFIC,):
        from nightowl.demo import fleet_traffic  # noqa: PLC0415 - it needs the transport

        fleet_traffic.run()
    else:
        from nightowl.demo.fleet_app import app  # noqa: PLC0415 - it needs the transport

        app.worker_main(["worker", *arguments])


def _end_with_input() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
