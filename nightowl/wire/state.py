"""What lies in the state folder unless the configuration says otherwise: the store's file and the secret key."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from nightowl.config import Configuration, state_folder


def store_url(configuration: Configuration) -> str:
    """Return the URL of the store: without one, SQLite in the state folder."""
    return configuration.store_url or f"sqlite:///{state_folder() / 'nightowl.db'}"


def secret_key(configuration: Configuration) -> bytes:
    """Return the secret that signs forms and seals the secrets of checks.

    That is the configured one, else one that is made once and kept in the state folder.
    """
    if configuration.server.secret_key:
        return configuration.server.secret_key.encode()
    path = state_folder() / "secret_key"
    if not path.exists():
        _make_whole(path, secrets.token_hex(32).encode())
    return path.read_bytes()


def _make_whole(path: Path, content: bytes) -> None:
    """Make a file for its owner only that nobody ever sees half written; the first of several makers wins."""
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        Path(part).unlink()
