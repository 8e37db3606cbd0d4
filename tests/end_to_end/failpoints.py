"""Start a role so that it can be made to die by SIGKILL right before or right after a commit or an acknowledgement.

``python -m tests.end_to_end.failpoints FOLDER ROLE ARGUMENT...``: the role runs as ever. Its places are written into
``FOLDER/trigger`` by whoever wants it dead: ``before commit outbox`` dies in the next transaction that wrote the table
``outbox``, ``after ack`` once a message is acknowledged; ``freeze before transaction in _commit`` stops by SIGSTOP as a
leader is about to confirm its epoch in a function of that name. The file goes with the process. ``FOLDER/commits`` gets
a line for each transaction that was committed, with its moment and the tables that it wrote. ``FOLDER/clock`` has the
seconds by which the process's wall clock is wrong. ``FOLDER/settings.json`` replaces names of modules and classes.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.ledger import Ledger

WRITES = re.compile(r"\s*(?:INSERT\s+(?:\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+[\"`]?(\w+)", re.IGNORECASE)
LOOK = 0.1
"""Seconds between looks at the wrongness of the clock."""

ACTOR = (
    "from gevent import monkey; monkey.patch_all(); from tests.end_to_end.failpoints import arm; "
    "arm({folder!r}); from nightowl.cli.actor_process import main; main()"
)
"""As the actor starts its processes, armed."""


def arm(folder: str) -> None:
    """Make this process mortal at its failpoints."""
    _replace_settings(Path(folder, "settings.json"))
    _bend_clock(Path(folder, "clock"))
    _arm_commits(Path(folder, "trigger"), Ledger(Path(folder, "commits")))
    _arm_transactions(Path(folder, "trigger"))
    _arm_acknowledgements(Path(folder, "trigger"))


def _reached(trigger: Path, *places: str) -> None:
    try:
        wanted = trigger.read_text()
    except FileNotFoundError:
        return
    if wanted.removeprefix("freeze ") in places:
        trigger.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGSTOP if wanted.startswith("freeze ") else signal.SIGKILL)


def _arm_commits(trigger: Path, ledger: Ledger) -> None:
    from sqlalchemy import Connection, Engine, event  # noqa: PLC0415 - an actor's launcher needs none of it

    commit = Connection._commit_impl

    def note_writes(connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if found := WRITES.match(statement):
            connection.info.setdefault("written", set()).add(found[1])

    def mortal_commit(connection: Connection) -> None:
        written = connection.info.pop("written", set())
        _reached(trigger, *(f"before commit {table}" for table in written))
        commit(connection)
        if written:
            ledger.write(tables=sorted(written))
        _reached(trigger, *(f"after commit {table}" for table in written))

    event.listen(Engine, "before_cursor_execute", note_writes)
    event.listen(Engine, "begin", lambda connection: connection.info.pop("written", None))
    Connection._commit_impl = mortal_commit


def _arm_transactions(trigger: Path) -> None:
    from nightowl.adapters.store_sql.store import SqlStore  # noqa: PLC0415 - as above

    transaction = SqlStore.transaction

    def mortal_transaction(store: Any, lease: Any = None) -> Any:
        if lease is not None:
            _reached(trigger, f"before transaction in {sys._getframe(1).f_code.co_name}")
        return transaction(store, lease)

    SqlStore.transaction = mortal_transaction


def _arm_acknowledgements(trigger: Path) -> None:
    from kombu.message import Message  # noqa: PLC0415 - as above

    acknowledge = Message.ack

    def mortal_ack(message: Message, *arguments: Any, **options: Any) -> Any:
        _reached(trigger, "before ack")
        done = acknowledge(message, *arguments, **options)
        _reached(trigger, "after ack")
        return done

    Message.ack = mortal_ack


def _bend_clock(wrongness: Path) -> None:
    """Let ``time.time`` be wrong by what a file says, which is there from the start or never."""
    if not wrongness.exists():
        return
    right, steady = time.time, time.monotonic
    seen = [steady() - LOOK, 0.0]

    def wrong() -> float:
        if steady() - seen[0] >= LOOK:
            seen[:] = [steady(), float(wrongness.read_text() or seen[1])]
        return right() + seen[1]

    time.time = wrong


def _replace_settings(path: Path) -> None:
    """Give names other values: ``{"package.module:NAME.NAME": value}``; a null stands for a call that does nothing."""
    for name, value in json.loads(path.read_text()).items() if path.exists() else ():
        module, _, inside = name.partition(":")
        *owners, last = inside.split(".")
        owner: Any = importlib.import_module(module)
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, last, _nothing if value is None else value)


_nothing: Callable[..., None] = lambda *_: None  # noqa: E731 - it stands for any method


def main(folder: str, role: str, arguments: list[str]) -> None:
    """Run a role of ``nightowl``, armed."""
    if role == "actor":
        actor = importlib.import_module("nightowl.cli.actor")
        actor.PATCHED = ACTOR.format(folder=folder)
    else:
        arm(folder)
    cli = importlib.import_module("nightowl.cli")
    sys.argv = ["nightowl", role, *arguments]
    cli.main()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
