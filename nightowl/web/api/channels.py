"""``/api/v1/channels``."""

from __future__ import annotations

from nightowl.web import changes
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import ChannelModel
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of channels."""
    api = Endpoints("/channels", "channels")

    @api.get("", summary="All channels, by name")
    def list_channels() -> list[ChannelModel]:
        return [ChannelModel.of(channel) for channel in sorted(handlers.channels(), key=lambda channel: channel.name)]

    @api.post("/{name}/test", status_code=204, summary="Send a test notice", description="502 where it was not taken.")
    def test_channel(name: str, author: Asking) -> None:
        changes.test_channel(handlers, author, name)

    return api
