"""Which queues of a cluster were purged through NightOwl: what was deleted there is not missed afterwards."""

from __future__ import annotations

from nightowl.core.cluster.catalogue import ACTIONS
from nightowl.ports import AuditFilter, Store

MOST = 200
"""Purges that are looked at, the newest of all clusters."""

WHAT = f"cluster.{ACTIONS['purge'].name}"
"""What the audit calls a purge; its subject is ``CLUSTER/QUEUE``."""


def purged(store: Store, cluster: str) -> dict[str, float]:
    """Return when each queue of a cluster was purged last, as the audit says, in Unix seconds.

    Raises ``StoreUnavailable``.
    """
    with store.read() as unit:
        entries, _ = unit.audit.page(AuditFilter(what=WHAT), 0, MOST)
    found: dict[str, float] = {}
    for entry in entries:  # the newest first
        name, _, queue = entry.subject.partition("/")
        if name == cluster:
            found.setdefault(queue, entry.at)
    return found
