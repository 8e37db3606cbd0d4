"""What the inbox looks like in a browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from html import escape

import msgspec

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="5">
<title>({count}) Inbox of the demo</title>
<style>
  :root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
  body {{ margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
  li {{ margin: 1rem 0 }}
  pre {{ padding: .75rem; border: 1px solid #8888; white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>Inbox of the demo</h1>
<p>{summary}</p>
<ol reversed>{messages}</ol>
"""

_MESSAGE = """
<li><time datetime="{moment}">{clock} UTC</time> · {kind} · <strong>{subject}</strong>
<pre>{text}</pre></li>"""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived: ``kind`` is email or webhook, ``received`` Unix seconds; a webhook's ``text`` is indented JSON."""

    kind: str
    received: float
    subject: str
    text: str


def render(messages: Sequence[Message]) -> str:
    """Return the page that shows messages, newest first."""
    return _PAGE.format(
        count=len(messages),
        summary="What NightOwl told, newest first." if messages else "Nothing has arrived yet.",
        messages="".join(_item(message) for message in messages),
    )


def _item(message: Message) -> str:
    moment = dt.datetime.fromtimestamp(message.received, dt.UTC)
    return _MESSAGE.format(
        moment=moment.isoformat(timespec="seconds"),
        clock=f"{moment:%H:%M:%S}",
        kind=escape(message.kind),
        subject=escape(message.subject),
        text=escape(message.text),
    )
