"""NightOwl: distributed monitoring and alerting, built on Celery and for Celery."""

__version__ = "0.1.0"
