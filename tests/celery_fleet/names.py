"""Names of tasks that are hard to bear, and what the failing ones fail with."""

from __future__ import annotations

SCRIPT = "fleet.<script>alert('name')</script>"
UNICODE = "fleet.größe/日本語 & co"
UNKNOWN = "fleet.unknown"

_TASKS = "tests.celery_fleet.tasks"

EXCEPTIONS = {
    "fleet.fail": "ValueError",
    "fleet.fail_dotted": f"{_TASKS}.Dotted",
    "fleet.fail_wordless": f"{_TASKS}.Wordless",
    "fleet.fail_silent": f"{_TASKS}.Silent",
    "fleet.fail_hostile": f"{_TASKS}.Hostile",
    "fleet.fail_in_lines": "RuntimeError",
    "fleet.retry_in_vain": f"{_TASKS}.Dotted",
    "fleet.retry_reasonless": "celery.exceptions.MaxRetriesExceededError",
    "fleet.reject": "celery.exceptions.Reject",
    "fleet.soft_limit": "billiard.exceptions.SoftTimeLimitExceeded",
    "fleet.hard_limit": "billiard.exceptions.TimeLimitExceeded",
    "fleet.exit": "billiard.exceptions.WorkerLostError",
    "fleet.kill": "billiard.exceptions.WorkerLostError",
    UNKNOWN: "NotRegistered",
}
"""With which class each of the tasks that fail does so, as a traceback names it: the truth, whatever events say.

Of a task that the worker does not know there is no traceback.
"""
