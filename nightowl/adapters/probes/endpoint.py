"""Where a URL that is not http leads: its host and its port."""

from __future__ import annotations

from urllib.parse import urlsplit

from nightowl.adapters.probes.failure import TARGET, Failure


def endpoint(url: str, port: int = 0) -> tuple[str, int]:
    """Host and port of ``scheme://host:port``; ``port`` where the URL has none (0: it must have one).

    Raises:
        Failure: ``own.target`` for a URL that leads nowhere.
    """
    try:
        parts = urlsplit(url)
        found = parts.hostname, parts.port or port
    except ValueError:  # whose text may quote a part of a password
        raise Failure(TARGET, "the URL cannot be read: its host or its port is malformed") from None
    if not found[0] or not found[1]:
        form = f"{parts.scheme}://host:port"
        raise Failure(TARGET, f"a {parts.scheme} URL needs a host and a port: {form}")
    return found[0], found[1]
