"""What tests of messages tell of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nightowl.core.values import Incident, Notice
from tests.notices import SHOP, make_notice


@pytest.fixture
def incident() -> Incident:
    return SHOP


@pytest.fixture
def notice() -> Callable[..., Notice]:
    """Make a notice, of the incident of these tests where no other is given."""
    return make_notice
