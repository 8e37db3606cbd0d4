"""Answers as Flower gives them: JSON with an entity tag, errors as plain text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha1
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json; charset=UTF-8"
PLAIN = "text/plain; charset=UTF-8"

OPEN_TO_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "x-requested-with,access-control-allow-origin,authorization,content-type",
    "Access-Control-Allow-Methods": "PUT, DELETE, OPTIONS, POST, GET, PATCH",
}
"""What lets pages of other sites read answers, which only an API that is open to everybody has."""


class Failure(Exception):
    """An answer other than 200, with what it says: as plain text (empty: nothing), or as JSON (``data``)."""

    def __init__(self, status: int, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.data = data


def found(request: Request, data: Mapping[str, Any], status: int = 200) -> Response:
    """Answer with data. Who has it already (``If-None-Match``) is told so with 304."""
    body = encoded(data)
    tag = f'"{sha1(body, usedforsecurity=False).hexdigest()}"'
    headers = {"Etag": tag, "Content-Type": JSON}
    if status == 200 and request.method in ("GET", "HEAD") and _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"Etag": tag})
    return Response(body, status, headers=headers)


def encoded(data: Mapping[str, Any]) -> bytes:
    """Data as JSON that also stands safely within a page, as Tornado writes it."""
    return json.dumps(data).replace("</", "<\\/").encode()


def plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error."""
    return Response(text, status, headers={**(headers or {}), "Content-Type": PLAIN})


def _has(given: str, tag: str) -> bool:
    tags = [each.strip().removeprefix("W/") for each in given.split(",")]
    return tag in tags or "*" in tags
