"""The process that writes tasks for another one: portions come in, what came of each goes out.

It ends when the other side has gone, however that ended; what is not committed by then is not: whoever came after that
one may have written what is newer. What a terminal or a service manager tells both is meant for the other side, which
has its last portions written before it ends.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import BufferedRWPair

import msgspec

from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.adapters.store_sql.tasks.writer import Outcome, Portion, receive, send
from nightowl.core.errors import NightOwlError

LESS = 10
"""By how much it is less urgent than what takes events in: what is not read is lost, what is not written waits."""

_decode = msgspec.msgpack.Decoder(Portion).decode


def main() -> None:
    """Write until the other side hangs up; the first message is the store's URL, as a command line can be seen."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    os.nice(LESS)
    logging.disable(logging.CRITICAL)  # what is to be told the other side tells
    with suppress(OSError), socket.socket(fileno=sys.stdin.fileno()) as sock, sock.makefile("rwb") as stream:
        url = receive(stream)
        if url is not None:
            _serve(stream, open_tasks(url.decode()), partial(_confirm, sock))


def _serve(stream: BufferedRWPair, tasks: SqlTasks, confirm: Callable[[], None]) -> None:
    send(stream, msgspec.msgpack.encode(Outcome()))
    while (data := receive(stream)) is not None:
        send(stream, msgspec.msgpack.encode(_written(tasks, _decode(data), confirm)))
    tasks.close()


def _confirm(sock: socket.socket) -> None:
    """Raise ``ConnectionResetError`` where the other side has gone: while it is there it waits, and sends nothing."""
    with suppress(BlockingIOError):
        if not sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            raise ConnectionResetError


def _written(tasks: SqlTasks, portion: Portion, confirm: Callable[[], None]) -> Outcome:
    try:
        tasks.write(portion.cluster, portion.tasks, state=portion.state, gaps=portion.gaps, confirm=confirm)
    except NightOwlError as error:
        return Outcome(type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side is to know
        return Outcome(type(error).__name__, traceback.format_exc())
    return Outcome()


if __name__ == "__main__":
    main()
