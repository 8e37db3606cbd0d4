"""A stream of Celery's events for benchmarks: what real workers sent, published again as if by many more of them."""
