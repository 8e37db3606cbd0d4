"""A configuration from a text, and the mistakes in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nightowl.config import Configuration, load
from nightowl.core.errors import ConfigurationError

Mistakes = dict[str, tuple[str, str]]


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., Configuration]:
    """Load a text; keyword arguments are the environment."""

    def configured(text: str, **environ: str) -> Configuration:
        path = tmp_path / "nightowl.toml"
        path.write_text(text)
        return load(path, environ=environ)

    return configured


@pytest.fixture
def mistakes(configured: Callable[..., Configuration]) -> Callable[..., Mistakes]:
    """Load a text that is refused: key path to what was found and what would be allowed."""

    def mistakes(text: str, **environ: str) -> Mistakes:
        with pytest.raises(ConfigurationError) as refused:
            configured(text, **environ)
        return {one.key: (one.found, one.allowed) for one in refused.value.mistakes}

    return mistakes
