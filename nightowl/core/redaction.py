"""Keep secrets out of what people read."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*://)(?P<user>[^\s:/@]*):(?P<password>[^\s@]+)@")


def without_password(text: str) -> str:
    """Mask the password of every URL in a text: ``amqp://owl:***@rabbit``."""
    return _USERINFO.sub(r"\g<scheme>\g<user>:***@", text)
