"""The beat schedule of the cluster's app, read by a process of its own: its code must not run in the watcher's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from nightowl.adapters.celery_cluster.beat import app_dump
from nightowl.core.cluster.beat import Entry
from nightowl.core.errors import Unavailable

TIMEOUT = 60.0
"""Seconds that the app may take to be imported."""

_decode = msgspec.json.Decoder(app_dump.Told).decode


def read_app(app: str, folder: Path, timeout: float = TIMEOUT) -> list[Entry]:
    """Return the entries of an app that can be imported from ``folder``, as ``celery -A`` would from there.

    Raises ``Unavailable``.
    """
    cannot = f"The app {app} cannot be imported here"
    command = [sys.executable, "-m", app_dump.__name__, app]
    with subprocess.Popen(  # noqa: S603 - the app is what the configuration says
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            answer, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # it is not waited for yet, so that its number is its own
            raise Unavailable(f"{cannot}: it took longer than {timeout:g} s.") from None
    try:
        told = _decode(answer)
    except msgspec.DecodeError:
        raise Unavailable(f"{cannot}: the process that tried ended with exit code {process.returncode}.") from None
    if told.error:
        raise Unavailable(f"{cannot}: {told.error}")
    return told.entries
