"""The address guard: what an attempt may open a socket to, decided by ``nightowl.core.reach``.

It is asked per address at the moment a socket is created, so that neither a name that changes its address nor a
redirect passes.
"""

from __future__ import annotations

from nightowl.adapters.probes.failure import Failure
from nightowl.core.reach import Decide, guard

__all__ = ["Decide", "guard", "refusal"]


def refusal(decide: Decide, host: str, port: int) -> Failure | None:
    """The failure of an attempt that the guard stops (None: it may go there)."""
    detail = decide(host, port)
    if not detail:
        return None
    what = host if detail == "address" else f"port {port} of {host}"
    return Failure(f"policy.{detail}", f"this location may not reach {what}", address=host)
