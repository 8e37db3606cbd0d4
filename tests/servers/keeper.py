"""Keeps one server alive for a test run, and takes it down when the run is over, however that ended.

Started as a program of its own in the server's folder: ``keeper.py RUN_FOLDER USER COMMAND...``. It goes into the
background and leaves its process id in the file ``keeper``, which is there as long as the server is. The run's first
process holds a POSIX lock on ``RUN_FOLDER/lifeline``; the kernel gives it free when that process ends, even by SIGKILL.
The keeper then kills its server's process group and removes the run's folder. SIGTERM stops the server gently, SIGUSR1
kills it at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


def main(run: Path, user: str, command: list[str]) -> None:
    """Run ``command`` until it ends or is ended."""
    server = subprocess.Popen(command, process_group=0, **_identity(user))
    over = threading.Event()

    def end_with_the_run() -> None:
        with (run / "lifeline").open("r+b") as lifeline:
            fcntl.lockf(lifeline, fcntl.LOCK_EX)
            over.set()
            _signal(server, signal.SIGKILL)

    signal.signal(signal.SIGTERM, lambda *_: _signal(server, signal.SIGTERM))
    signal.signal(signal.SIGUSR1, lambda *_: _signal(server, signal.SIGKILL))
    threading.Thread(target=end_with_the_run, daemon=True).start()
    server.wait()
    _signal(server, signal.SIGKILL)  # what the server started may outlive it
    Path("keeper").unlink()
    if over.is_set():
        shutil.rmtree(run, ignore_errors=True)


def _identity(user: str) -> dict[str, Any]:
    """Popen's arguments for a user: PostgreSQL refuses to run as root."""
    if not user:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _signal(server: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, number)


def to_the_background() -> None:
    """Go on in a child, which whoever started this need not wait for."""
    if child := os.fork():
        Path("keeper").write_text(str(child))
        os._exit(0)


if __name__ == "__main__":
    to_the_background()
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
