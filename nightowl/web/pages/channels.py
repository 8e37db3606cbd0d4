"""Channels: where notices go, each with a button that sends a test."""

from __future__ import annotations

import msgspec

from nightowl.web.handlers import ChannelUse
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class ChannelList(msgspec.Struct, frozen=True, kw_only=True):
    """The channels by name; after a test, ``tested`` is the one.

    ``failure`` is what went wrong, ``remark`` what went otherwise than meant though it was sent (empty: nothing).
    """

    channels: tuple[ChannelUse, ...]
    tested: str = ""
    failure: str = ""
    remark: str = ""


def build(ask: Ask) -> View:
    """List the channels."""
    return view(ChannelList(channels=tuple(ask.handlers.channels())))


def view(data: ChannelList) -> View:
    """Show the list, perhaps with the result of a test."""
    return View(template="channels.html", title="Channels", data=data)


PAGE = Page(path="/channels", build=build, live=False)
