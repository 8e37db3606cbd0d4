"""Values and pure functions: no clock, no I/O, no Celery; ``now`` is an argument."""
