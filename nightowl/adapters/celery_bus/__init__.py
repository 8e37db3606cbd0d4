"""The bus on Celery: batches out by one queue per location, reports in by one queue."""
