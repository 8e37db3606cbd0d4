"""Where tasks stay: the differences of the stages of their lives, by one meaning for all sources.

A task is sent, received, started, and ends its run in success, failure, retry or rejection. What was revoked before its
start ends there. So what one stage counts more than the next one is on its way between them, or lost there:

- sent, not received: it waits in the queue (or nobody consumes it). Needs ``task_send_sent_event``;
- received, not started and not revoked: it waits in a worker for a free process or for its hour;
- started, and no end of the run: it runs, or was lost with its worker.
"""

from __future__ import annotations

import msgspec

from deploy.grafana.boards import ORANGE, RED


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What ``entered`` counts and none of ``left`` does."""

    title: str
    says: str
    entered: str
    left: tuple[str, ...]


EVENTS = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
"""What is counted of tasks, in the order of their lives."""

ENDS = ("succeeded", "failed", "retried", "rejected")

STAGES = (
    Stage(
        title="Sent, not received",
        says="Tasks sent within the window less those received. Above 0 for long: more is sent than workers take, or "
        "nobody consumes the queue. Below 0: a backlog is worked off, or clients do not send task-sent.",
        entered="sent",
        left=("received",),
    ),
    Stage(
        title="Received, not started",
        says="Tasks received within the window less those started or revoked. Above 0 for long: all processes of the "
        "workers are taken, or tasks wait for their hour.",
        entered="received",
        left=("started", "revoked"),
    ),
    Stage(
        title="Started, not finished",
        says="Runs begun within the window less those that succeeded, failed, were retried or rejected. Above what "
        "runs at a time: tasks hang, or were lost with their worker.",
        entered="started",
        left=ENDS,
    ),
    Stage(
        title="Received, not finished",
        says="All that workers have taken within the window and not ended. It returns to about 0, or something is "
        "stuck or lost.",
        entered="received",
        left=(*ENDS, "revoked"),
    ),
)

STEPS = ((10.0, ORANGE), (100.0, RED))
"""Tasks from which on a difference is orange and red: for clusters of some tasks a second. Set them to yours."""

WINDOWS = ("15m", "5m", "1h", "6h")
