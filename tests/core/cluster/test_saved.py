"""What a watcher stores for the next one."""

import msgspec

from nightowl.core.cluster.saved import packed, unpacked


def test_what_is_stored_is_read_again():
    saved = unpacked(packed(b"figures", b"memory", 5.0))
    assert (saved.figures, saved.memory, saved.sure) == (b"figures", b"memory", 5.0)


def test_what_another_version_stored_is_not_read():
    before = msgspec.msgpack.encode([b"figures", b"memory", 5.0])
    assert (unpacked(before), unpacked(b"garbage"), unpacked(None)) == (None, None, None)
