"""AMQP frames, however the stream of bytes is cut."""

from __future__ import annotations

import struct
from contextlib import suppress

import amqp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightowl.adapters.celery_cluster.events.amqp_methods import Ended, length
from nightowl.adapters.celery_cluster.events.frames import BEAT, BODY, DELIVER, HEADER, METHOD, NotAmqp, Splitter, frame

EASY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FRAME_MAX = 64
LARGEST = 200
DELIVERY = DELIVER + b"\x01t" + bytes(9) + b"\x08celeryev\x01x"


def header(size: int) -> bytes:
    message = amqp.Message(content_type="application/json")
    return struct.pack(">HHQ", 60, 0, size) + message._serialize_properties()


def delivery(body: bytes) -> bytes:
    parts = [body[at : at + FRAME_MAX - 8] for at in range(0, len(body), FRAME_MAX - 8)]
    frames = [
        frame(METHOD, 1, DELIVERY),
        frame(HEADER, 1, header(len(body))),
        *(frame(BODY, 1, part) for part in parts),
    ]
    return b"".join(frames)


bodies = st.binary(max_size=LARGEST + 60)
others = st.sampled_from([b"\x00\x32\x00\x0b\x01q\x00\x00\x00\x07\x00\x00\x00\x01", b"\x00\x3c\x00\x15\x01t"])
pieces = st.lists(
    st.tuples(st.just("delivery"), bodies) | st.tuples(st.just("method"), others) | st.just(("beat", b""))
)


@EASY
@given(pieces, st.lists(st.integers(1, 40)))
def test_any_cut_gives_the_same(wanted: list[tuple[str, bytes]], cuts: list[int]) -> None:
    write = {"delivery": delivery, "method": lambda payload: frame(METHOD, 1, payload), "beat": lambda _: BEAT}
    stream = b"".join(write[kind](payload) for kind, payload in wanted)
    splitter = Splitter(FRAME_MAX, LARGEST)
    at = 0
    for cut in [*cuts, len(stream)]:
        splitter.feed(memoryview(stream)[at : at + cut])
        at += cut
    sent = [payload for kind, payload in wanted if kind == "delivery"]
    assert splitter.deliveries == [(header(len(body)), body if len(body) <= LARGEST else None) for body in sent]
    assert splitter.methods == [payload for kind, payload in wanted if kind == "method"]


@EASY
@given(st.binary(max_size=200))
def test_other_bytes_are_refused_or_waited_for(data: bytes) -> None:
    splitter = Splitter(FRAME_MAX, LARGEST)
    with suppress(NotAmqp):
        splitter.feed(data)
        assert len(data) < 8 or data[0] in (1, 2, 3, 8)
    assert all(body is not None for _, body in splitter.deliveries)


@pytest.mark.parametrize(
    "stream",
    [
        frame(BODY, 1, b"x"),
        frame(HEADER, 1, b"short"),
        frame(HEADER, 1, header(5)) * 2,
        frame(HEADER, 1, header(1)) + frame(BODY, 1, b"xx"),
        frame(METHOD, 1, DELIVERY)[:-1] + b"\0",
        b"\x01\x00\x01\xff\xff\xff\xff" + bytes(2),
    ],
)
def test_frames_out_of_order_are_refused(stream: bytes) -> None:
    with pytest.raises(NotAmqp):
        Splitter(FRAME_MAX, LARGEST).feed(stream)


@EASY
@given(st.binary(max_size=40))
def test_any_method_is_read_or_refused(method: bytes) -> None:
    with suppress(NotAmqp, Ended):
        assert length(method) is None or method[:4] == b"\x00\x32\x00\x0b"


def test_what_the_broker_says_ends_the_stream() -> None:
    assert length(b"\x00\x32\x00\x0b\x02qq\x00\x01\x00\x00\x00\x00\x00\x01") == 65536
    with pytest.raises(Ended, match=r"CONNECTION_FORCED \(320\)"):
        length(b"\x00\x0a\x00\x32" + struct.pack(">HB", 320, 17) + b"CONNECTION_FORCED" + bytes(4))
    with pytest.raises(Ended, match="deleted"):
        length(b"\x00\x3c\x00\x1e\x01t\x00")
