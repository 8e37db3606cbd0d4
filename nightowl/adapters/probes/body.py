"""From the bytes of an answer to the text that is judged, within bounds."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.redaction import Mask, quoted

MAX_BODY = 1 << 20
"""Bytes of a body, also after decompression."""
MAX_HEADERS = 64 << 10
"""Bytes of all headers of one answer."""
EXCERPT = 1024
"""Characters of a body that the excerpt of a failed attempt shows."""
GLIMPSE = 160
"""Characters that the excerpt of a good attempt shows: there are three of them in every round that is stored."""
EXCERPT_SOURCE = 4 * EXCERPT
"""Bytes of a body that are kept to make an excerpt of."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"
_MEMBERS = 1024
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)
_CONTENT_TYPE = 1024
_TEXT = re.compile(
    r"utf-?8|utf-?(16|32)(-?[bl]e)?|(us-)?ascii|latin-?[1-9]|iso-?8859-\d{1,2}|(windows|cp)-?125\d|koi8-[rtu]"
    r"|gb18030|gbk|gb2312|big5(-hkscs)?|euc-?(jp|kr)|shift-?jis|s-?jis|windows-31j|ks-c-5601-1987|iso-2022-(jp|kr)"
)
"""The charsets that are read. A target names its own, and Python's codecs also know ones that unpack or run long."""


def decompress(data: bytes, encoding: str) -> bytes:
    """The body under its ``Content-Encoding``; an encoding other than gzip or deflate is left as it is.

    Gzip may have several members (RFC 1952); deflate is zlib's format (RFC 9110) or, as many servers have it, bare.

    Raises:
        Failure: ``limit.decompressed`` beyond 1 MiB, ``decode.gzip`` where the stream is damaged or cut short.
    """
    kind = encoding.strip().lower()
    if kind not in ("gzip", "x-gzip", "deflate") or not data:
        return data
    try:
        return _inflate(data, _GZIP_OR_ZLIB)
    except zlib.error as error:
        if kind == "deflate":
            with suppress(zlib.error):
                return _inflate(data, _RAW)
        raise Failure("decode.gzip", f"the body is not what its Content-Encoding says: {error}") from None


def decode(data: bytes, content_type: str, mask: Mask = str) -> str:
    """The text of a body in the charset that it declares, else UTF-8; ``mask`` hides secrets in what is quoted of that.

    Raises:
        Failure: ``decode.charset`` where a declared charset is not one that is read, or does not fit.
    """
    declared = _CHARSET.search(content_type[:_CONTENT_TYPE])
    if declared is None:
        return data.decode("utf-8", "replace")
    charset = declared[1].lower().replace("_", "-")
    shown = quoted(declared[1], mask)
    if not _TEXT.fullmatch(charset):
        raise Failure("decode.charset", f"the body declares the charset {shown}, which is not read")
    try:
        return data.decode(charset)
    except LookupError:
        raise Failure("decode.charset", f"the body declares the charset {shown}, which is not known") from None
    except UnicodeDecodeError:
        raise Failure("decode.charset", f"the body is not text in its declared charset {shown}") from None


def excerpt(data: bytes, mask: Mask, most: int = EXCERPT) -> str:
    """The start of a body as printable text, masked before it is cut: half a secret would not be recognised."""
    text = data[: 4 * most].decode("utf-8", "replace").replace("\0", "")  # UTF-16 would space a secret out
    text = mask(text.rstrip("\N{REPLACEMENT CHARACTER}"))[:most]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{MIDDLE DOT}" for char in text)


def _inflate(data: bytes, window: int) -> bytes:
    """Unpack every member of a stream; what follows the last one is ignored, as browsers do."""
    text = b""
    for _ in range(_MEMBERS):
        member = zlib.decompressobj(window)
        text += member.decompress(data, MAX_BODY + 1 - len(text))
        if len(text) > MAX_BODY:
            raise Failure("limit.decompressed", "the body is larger than 1 MiB after decompression")
        if not member.eof:
            raise zlib.error("it is cut short")
        data = member.unused_data
        if not data.startswith(_GZIP_MAGIC):
            return text
    raise Failure("limit.decompressed", f"the compressed body has more than {_MEMBERS} members")
