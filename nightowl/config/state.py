"""Where NightOwl keeps its files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from nightowl.core.errors import ConfigurationError, Mistake


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for NightOwl's own files, made (for its owner only) where it is missing.

    That is the first of ``$STATE_DIRECTORY`` (systemd's), ``$XDG_DATA_HOME/nightowl`` and
    ``~/.local/share/nightowl``.

    Raises:
        ConfigurationError: it cannot be made.
    """
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]
    data = environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111 - never raises
    folder = Path(given) if given else Path(data, "nightowl")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        found = f"{folder} ({(error.strerror or 'not usable').lower()})"
        allowed = "a folder that can be written; STATE_DIRECTORY names one"
        raise ConfigurationError([Mistake(file="", key="state folder", found=found, allowed=allowed)]) from None
    return folder
