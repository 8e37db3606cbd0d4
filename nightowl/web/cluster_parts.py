"""The pages that every cluster has."""

from __future__ import annotations

PARTS = (
    ("", "Overview"),
    ("/workers", "Workers"),
    ("/queues", "Queues"),
    ("/tasks", "Tasks"),
    ("/failures", "Failures"),
    ("/beat", "Beat"),
    ("/visibility", "What I can see"),
)
"""The pages of a cluster, by the ends of their paths."""

ASKING_PARTS = (("/in-workers", "In workers"), ("/settings", "Settings"))
"""Those for which workers are asked, which takes an operator."""
