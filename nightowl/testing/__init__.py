"""Shipped for plugin authors: parts that run without an outside world, and the suites that real ones must pass."""
