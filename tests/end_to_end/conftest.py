"""The brokers that processes of their own can share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(
    params=[
        "filesystem",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "filesystem":
        return f"filesystem://{tmp_path}/bus"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
