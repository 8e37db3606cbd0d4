"""What the bytes of an answer become, whatever the target says that they are."""

import bz2
import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes.body import MAX_BODY, decode, decompress
from nightowl.adapters.probes.failure import Failure

TEXT = b"a page that is long enough to be worth compressing " * 20


def bare(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def reason_of(function, *arguments):
    with pytest.raises(Failure) as caught:
        function(*arguments)
    return caught.value.reason


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "grün"),
        ('"UTF8"', "grün"),
        ("utf-16", "grün"),
        ("ISO-8859-15", "9 €"),
        ("windows-1252", "9 €"),
        ("koi8-r", "сова"),
        ("gb18030", "猫头鹰"),
        ("Big5", "貓頭鷹"),
        ("euc-kr", "올빼미"),
        ("Shift_JIS", "ふくろう"),
        ("iso-2022-jp", "ふくろう"),
    ],
)
def test_a_body_is_read_in_the_charset_that_it_declares(charset, text):
    assert decode(text.encode(charset.strip('"')), f"text/html; charset={charset}; x=y") == text


@pytest.mark.parametrize(
    "charset",
    [
        "bz2", "zlib", "hex", "base64", "uu", "rot13", "quopri", "idna", "punycode", "utf-7", "unicode_escape",
        "raw_unicode_escape", "undefined", "mbcs", "charmap", "../utf_8", "no-such-charset", "utf-8\x00",
    ],
)  # fmt: skip
def test_a_charset_that_is_no_plain_one_is_not_read(charset):
    assert reason_of(decode, bz2.compress(b"x" * 100), f"text/plain; charset={charset}") == "decode.charset"


@given(st.binary(max_size=200), st.text(max_size=40, alphabet=st.characters(codec="latin-1")))
def test_a_body_is_text_or_a_failure_whatever_its_content_type(data, charset):
    try:
        assert isinstance(decode(data, f"text/plain; charset={charset}"), str)
    except Failure as failure:
        assert failure.reason == "decode.charset"  # noqa: PT017  either is right


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT[:30]) + gzip.compress(b"") + gzip.compress(TEXT[30:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 512),
        ("deflate", zlib.compress(TEXT)),
        ("Deflate", bare(TEXT)),
        ("identity", TEXT),
    ],
    ids=["gzip", "members", "padded", "deflate", "bare", "identity"],
)
def test_a_compressed_body_is_unpacked_in_every_form_that_servers_use(encoding, body):
    assert decompress(body, encoding) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", gzip.compress(TEXT)[:-9], "decode.gzip"),
        ("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:-9], "decode.gzip"),
        ("gzip", bare(TEXT), "decode.gzip"),
        ("deflate", bare(random.Random(1).randbytes(999))[:-9], "decode.gzip"),
        ("deflate", zlib.compress(TEXT)[:-9], "decode.gzip"),
        ("deflate", b"no deflate at all", "decode.gzip"),
        ("deflate", bare(b"\0" * (MAX_BODY + 1)), "limit.decompressed"),
        ("gzip", gzip.compress(b"\0" * (MAX_BODY // 2)) * 3, "limit.decompressed"),
        ("gzip", gzip.compress(b"") * 5000, "limit.decompressed"),
    ],
    ids=[
        "cut",
        "cut member",
        "no gzip",
        "noise",
        "cut deflate",
        "no deflate",
        "bomb",
        "parts of a bomb",
        "many members",
    ],
)
def test_a_damaged_or_too_large_compressed_body_names_which(encoding, body, reason):
    assert reason_of(decompress, body, encoding) == reason
