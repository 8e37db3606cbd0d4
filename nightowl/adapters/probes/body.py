"""From the bytes of an answer to the text that is judged, within bounds."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable
from email.message import Message

from nightowl.adapters.probes.failure import Failure

MAX_BODY = 1 << 20
"""Bytes of a body, also after decompression."""
MAX_HEADERS = 64 << 10
"""Bytes of all headers of one answer."""
EXCERPT = 1024
"""Characters of a body that an excerpt shows."""
EXCERPT_SOURCE = 4 * EXCERPT
"""Bytes of a body that are kept to make an excerpt of."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def decompress(data: bytes, encoding: str) -> bytes:
    """The body under its ``Content-Encoding``; an encoding other than gzip or deflate is left as it is.

    Raises:
        Failure: ``limit.decompressed`` beyond 1 MiB, ``decode.gzip`` where the stream is damaged or cut short.
    """
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate") or not data:
        return data
    inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        text = inflate.decompress(data, MAX_BODY + 1)
    except zlib.error as error:
        raise Failure("decode.gzip", f"the body is not what its Content-Encoding says: {error}") from None
    if len(text) > MAX_BODY:
        raise Failure("limit.decompressed", "the body is larger than 1 MiB after decompression")
    if not inflate.eof:
        raise Failure("decode.gzip", "the compressed body is cut short")
    return text


def decode(data: bytes, content_type: str) -> str:
    """The text of a body in the charset that it declares, else UTF-8.

    Raises:
        Failure: ``decode.charset`` where a declared charset is unknown or does not fit.
    """
    charset = _charset(content_type)
    if not charset:
        return data.decode("utf-8", "replace")
    try:
        return codecs.lookup(charset).decode(data)[0]
    except (LookupError, UnicodeDecodeError, ValueError):
        raise Failure("decode.charset", f"the body is not text in its declared charset {charset[:40]!r}") from None


def excerpt(data: bytes, mask: Callable[[str], str]) -> str:
    """The start of a body as printable text, masked before it is cut: half a secret would not be recognised."""
    text = data[:EXCERPT_SOURCE].decode("utf-8", "replace")
    shown = "".join(char if char.isprintable() or char in "\n\t" else "\N{MIDDLE DOT}" for char in text)
    return mask(shown)[:EXCERPT]


def _charset(content_type: str) -> str:
    if "charset" not in content_type.lower():
        return ""
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_param("charset") or "")
