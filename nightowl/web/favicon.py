"""The icon: an owl's eyes; red, with a number, while that many things are wrong."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

_EYES = (
    '<circle cx="10" cy="15" r="6.5" fill="{0}"/><circle cx="22" cy="15" r="6.5" fill="{0}"/>'
    '<circle cx="10" cy="15" r="3" fill="#101826"/><circle cx="22" cy="15" r="3" fill="#101826"/>'
    '<path d="M16 18l-2 4h4z" fill="{0}"/>'
)
_FACE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="{}"/>{}</svg>'
)
_NUMBER = (
    '<text x="16" y="23.5" font-family="system-ui,sans-serif" font-size="{}" font-weight="700" '
    'text-anchor="middle" fill="#fff">{}</text>'
)


def favicon(request: Request) -> Response:
    """Answer ``/favicon.svg?wrong=N``."""
    asked = request.query_params.get("wrong", "0")
    wrong = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    shown = str(wrong) if wrong < 100 else "99+"
    inner = _NUMBER.format(22 if wrong < 10 else 17 if wrong < 100 else 13, shown) if wrong else _EYES.format("#F5B83D")
    drawn = _FACE.format("#B23A00" if wrong else "#101826", inner)
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})
