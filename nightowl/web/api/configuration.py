"""``/api/v1/configuration``."""

from __future__ import annotations

from nightowl.web import changes
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoint of the configuration."""
    api = Endpoints("/configuration", "configuration")

    @api.post(
        "/reload",
        status_code=204,
        summary="Read the configuration files again",
        description="The new configuration takes effect as a whole. 409 with the mistakes: the old one stays in force.",
    )
    def reload(author: Asking) -> None:
        changes.reload(handlers, author)

    return api
