"""Clusters to watch by nothing but the URLs of their brokers, as the command line gives them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, count
from urllib.parse import unquote, urlsplit

from nightowl.config.urls import cluster_problem
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.redaction import without_password

ONLY = "celery"
"""What the only one is called."""


def for_brokers(urls: Sequence[str], key: str = "--watch") -> dict[str, ClusterSettings]:
    """Return the clusters at these brokers by name: ``celery`` where it is one, else by their hosts.

    ``key`` is the option that they were given by. Raises ``ConfigurationError`` for URLs of brokers whose
    clusters cannot be watched.
    """
    mistakes = [
        Mistake(file="", key=key, found=f'"{without_password(url)}"', allowed=problem)
        for url in urls
        if (problem := cluster_problem(url) or ("" if url else "the URL of a broker, such as redis://127.0.0.1:6379/0"))
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
    found: dict[str, ClusterSettings] = {}
    for url in dict.fromkeys(urls):
        names = chain([name := ONLY if len(set(urls)) == 1 else _host(url)], (f"{name}-{n}" for n in count(2)))
        called = next(each for each in names if each not in found)
        found[called] = ClusterSettings(name=called, broker=url, secrets=tuple(_passwords(url)))
    return found


def _host(url: str) -> str:
    first = urlsplit(url.split(";", maxsplit=1)[0])
    return re.sub(r"[^a-z0-9.-]", "-", (first.hostname or first.scheme or ONLY).lower())


def _passwords(url: str) -> Iterator[str]:
    for each in url.split(";"):
        if password := urlsplit(each.strip()).password:
            yield from dict.fromkeys((password, unquote(password)))
