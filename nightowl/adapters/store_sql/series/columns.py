"""Columns of numbers as few bytes, exactly.

Whole numbers go as integers, and what has up to six decimals (times too) as millionths where that is exact: pcodec
packs both better than doubles. What it would make longer stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone  # type: ignore[import-untyped]

from nightowl.core.frame import Floats, Numbers

_CONSTANT, _RAW, _FLOATS, _WHOLE, _MILLIONTHS = range(5)
_EXACT = 2.0**53
_SCALES = {_WHOLE: 1.0, _MILLIONTHS: 1e6}

# Levels beyond 4 took up to ten times as long for less than 1 % of the bytes of gauges, counters and latencies.
_CONFIG = ChunkConfig(compression_level=4)

Column = NDArray[Any]


def pack(column: Column) -> bytes:
    """Pack a column of finite numbers (not empty); integers come back as doubles."""
    floats = np.ascontiguousarray(column, dtype=np.float64)
    raw = floats.tobytes()
    if raw == raw[:8] * len(floats):
        return bytes([_CONSTANT]) + raw[:8]
    kind, packed = _compressed(floats)
    return bytes([kind]) + packed if len(packed) < len(raw) else bytes([_RAW]) + raw


def unpack(blob: bytes, count: int) -> Floats:
    """Return a column of ``count`` numbers."""
    kind, body = blob[0], blob[1:]
    if kind == _CONSTANT:
        return np.full(count, np.frombuffer(body, np.float64)[0])
    if kind == _RAW:
        return np.frombuffer(body, np.float64)
    column: Column = standalone.simple_decompress(body)
    if kind == _MILLIONTHS:
        return column / _SCALES[kind]
    return column.astype(np.float64, copy=False)


def _compressed(floats: Floats) -> tuple[int, bytes]:
    for kind, scale in _SCALES.items():
        whole = _whole(floats, scale)
        if whole is not None:
            return kind, standalone.simple_compress(whole, _CONFIG)
    return _FLOATS, standalone.simple_compress(floats, _CONFIG)


def _whole(floats: Floats, scale: float) -> Numbers | None:
    """The numbers times ``scale`` as integers, where that is exact; a zero with a sign is none."""
    first, largest = float(floats[0]), float(np.abs(floats).max())
    if largest * scale >= _EXACT or round(first * scale) / scale != first:
        return None
    whole = np.rint(floats * scale)
    exact = (whole / scale == floats).all() and not np.signbit(floats[whole == 0]).any()
    return whole.astype(np.int64) if exact else None


class _Packed(msgspec.Struct, array_like=True):
    """``places`` in the block and the ``axis`` of each, as bytes; ``columns`` of each, behind one another."""

    places: bytes
    axis: bytes
    axes: list[tuple[bytes, ...]]
    columns: list[tuple[bytes, ...]]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


class Block:
    """Columns of the series of a block: those along which they stand, which many share, and those of their own.

    Only what is asked for is unpacked, and only what is put is packed. The first column of an axis ascends.
    """

    def __init__(self, blob: bytes | None = None) -> None:
        """``blob`` is what ``dump`` returned (None: nothing is there yet)."""
        packed = _decode(blob) if blob is not None else _Packed(b"", b"", [], [])
        self._series = {
            place: (packed.axes[axis], columns)
            for place, axis, columns in zip(packed.places, packed.axis, packed.columns, strict=True)
        }
        self._known: dict[bytes, bytes] = {}
        self._axes: dict[tuple[bytes, ...], list[Floats]] = {}

    def __contains__(self, place: int) -> bool:
        return place in self._series

    def places(self) -> list[int]:
        """The places that are taken."""
        return list(self._series)

    def get(self, place: int) -> tuple[Sequence[Floats], list[Floats]]:
        """The axis and the columns of a series."""
        packed, columns = self._series[place]
        axis = self._axes.get(packed)
        if axis is None:
            first = unpack(packed[0], 1)  # one that ascends is constant only when it is one number
            axis = self._axes[packed] = [first, *(unpack(each, len(first)) for each in packed[1:])]
        return axis, [unpack(each, len(axis[0])) for each in columns]

    def put(self, place: int, axis: Sequence[Column], columns: Sequence[Column]) -> None:
        """Set the axis and the columns of a series."""
        self._series[place] = (tuple(map(self._shared, axis)), tuple(map(pack, columns)))

    def dump(self) -> bytes:
        """Return all as bytes."""
        places = sorted(self._series)
        numbers: dict[tuple[bytes, ...], int] = {}
        axis = bytes(numbers.setdefault(self._series[place][0], len(numbers)) for place in places)
        return _encode(_Packed(bytes(places), axis, list(numbers), [self._series[place][1] for place in places]))

    def _shared(self, column: Column) -> bytes:
        raw = column.astype(np.float64, copy=False).tobytes()
        packed = self._known.get(raw)
        if packed is None:
            packed = self._known[raw] = pack(column)
        return packed
