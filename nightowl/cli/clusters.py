"""What commands about a watched cluster share: which one is meant."""

from __future__ import annotations

from nightowl.config import Configuration
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.wire.brokers import for_brokers


def cluster_of(configuration: Configuration, name: str, key: str) -> ClusterSettings:
    """Return the cluster that ``key`` (``--cluster``) names, or that at the URL of a broker.

    Raises ``ConfigurationError``.
    """
    if "://" in name:
        return next(iter(for_brokers([name], key).values()))
    known = configuration.clusters
    if name not in known:
        allowed = f"a declared cluster ({', '.join(known) or 'there is none: a [cluster.NAME] table declares one'})"
        raise ConfigurationError([Mistake(file=configuration.source, key=key, found=name, allowed=allowed)])
    return known[name]
