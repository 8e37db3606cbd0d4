"""Static files: read once, named by their content, sent compressed and cached for a year."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Asset(msgspec.Struct, frozen=True):
    """A file as it is sent: plain, and compressed with gzip."""

    media_type: str
    plain: bytes
    packed: bytes


class Assets:
    """All static files, by their public name (``app.3f2a1b9c0d.css``)."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files: dict[str, Asset] = {}
        self.names: Mapping[str, str] = {path.name: self._add(path) for path in _served(folder)}

    def _add(self, path: Path) -> str:
        plain = path.read_bytes()
        name = f"{path.stem}.{sha256(plain).hexdigest()[:10]}{path.suffix}"
        self._files[name] = Asset(_KINDS[path.suffix], plain, gzip.compress(plain, 9, mtime=0))
        return name

    def serve(self, request: Request) -> Response:
        """Answer ``/static/{name}``."""
        asset = self._files.get(request.path_params["name"])
        if asset is None:
            return Response("No such file.", 404, media_type="text/plain")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.plain, headers=headers, media_type=asset.media_type)
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)


def _served(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _KINDS)
