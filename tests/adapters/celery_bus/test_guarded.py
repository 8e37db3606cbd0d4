"""Connections for programs that have to end when they are told to."""

from __future__ import annotations

from time import monotonic

import pytest

from nightowl.adapters.celery_bus.app import BrokerSettings, make_app, queue


def test_nothing_waits_longer_than_a_moment_for_a_message() -> None:
    with make_app(BrokerSettings()).connection_for_read() as connection, connection.Consumer(queue("silent")):
        begun = monotonic()
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=30.0)
        assert monotonic() - begun < 10.0
