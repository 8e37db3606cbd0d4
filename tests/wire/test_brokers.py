"""Clusters by nothing but the URLs of their brokers."""

from __future__ import annotations

import pytest

from nightowl.core.errors import ConfigurationError
from nightowl.wire.brokers import for_brokers


@pytest.mark.parametrize(
    ("urls", "names"),
    [
        ([], []),
        (["redis://127.0.0.1:6379/0"], ["celery"]),
        (["redis://10.0.0.1/0", "redis://10.0.0.1/0"], ["celery"]),
        (["redis://cache.example/0", "amqp://Rabbit.example//"], ["cache.example", "rabbit.example"]),
        (["redis://a/0", "redis://a/1", "amqp://a//"], ["a", "a-2", "a-3"]),
        (["filesystem:///tmp/bus", "redis://[::1]/0"], ["filesystem", "--1"]),
    ],
)
def test_clusters_are_called_by_their_hosts_unless_it_is_one(urls: list[str], names: list[str]) -> None:
    found = for_brokers(urls)
    assert list(found) == names
    assert [settings.name for settings in found.values()] == names


def test_passwords_are_secrets() -> None:
    (found,) = for_brokers(["redis://:p%40ss@a/0;redis://:p%40ss@b/0"]).values()
    assert set(found.secrets) == {"p%40ss", "p@ss"}


def test_all_that_cannot_be_watched_is_told_at_once_without_passwords() -> None:
    with pytest.raises(ConfigurationError) as error:
        for_brokers(["kafka://owl:hunter22@a", "", "redis://a/0"])
    assert [mistake.key for mistake in error.value.mistakes] == ["--watch", "--watch"]
    assert "hunter22" not in str(error.value)
