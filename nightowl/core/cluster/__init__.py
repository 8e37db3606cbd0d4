"""A Celery cluster as it is watched: its events, tasks, workers and queues."""
