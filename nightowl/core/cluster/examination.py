"""What an examination of a cluster found: of each part whether it works, and what mends it where it does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from nightowl.core.cluster.inspection import missing
from nightowl.core.cluster.selection import listed

Health = Literal["works", "missing", "fails"]
"""``missing``: it works as it is set up, and shows less than it could. ``fails``: it does not work as it is set up."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a cluster: how it is, in a sentence, and the setting that mends it (empty: nothing is to be mended)."""

    name: str
    health: Health
    says: str
    mend: str = ""


def verdict(parts: Iterable[Part]) -> Health:
    """The worst of all."""
    found = {part.health for part in parts}
    return "fails" if "fails" in found else "missing" if "missing" in found else "works"


def settings(confs: Mapping[str, Any], enable_events: bool, cluster: str) -> list[Part]:
    """What the settings of workers hide, by node name; the same of several workers is said once."""
    lacking: dict[str, list[str]] = {}
    for worker, conf in sorted(confs.items()):
        for sentence in missing(conf):
            lacking.setdefault(sentence, []).append(worker)
    found = [missing_part("settings", sentence, of=f"{listed(workers)}: ") for sentence, workers in lacking.items()]
    quiet = [worker for worker, conf in sorted(confs.items()) if not _sends_events(conf)]
    if quiet and not enable_events:
        says = f"{listed(quiet)}: task events are off, and are not switched on from here."
        mend = f"run the worker with -E, or set enable_events = true in [cluster.{cluster}]"
        found.append(Part(name="settings", health="missing", says=says, mend=mend))
    if confs and not found:
        found.append(Part(name="settings", health="works", says="nothing is hidden by the settings of workers"))
    return found


def missing_part(name: str, sentence: str, *, of: str = "") -> Part:
    """Make a part of a sentence that names the remedy after a colon; ``of`` stands before it."""
    says, _, mend = sentence.rstrip(".").partition(": ")
    return Part(name=name, health="missing", says=f"{of}{says[:1].lower()}{says[1:]}", mend=mend)


def _sends_events(conf: Any) -> bool:
    return isinstance(conf, dict) and bool(conf.get("worker_send_task_events"))
