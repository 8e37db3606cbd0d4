"""Celery clusters that are watched: their events, their remote control, the depth of their queues."""
