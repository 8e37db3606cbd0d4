"""What seals promise: whoever lacks a location's key can neither read, change, move nor make up an envelope."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.adapters.celery_bus.envelope import Envelope, Unreadable, encode, read_envelope
from nightowl.adapters.celery_bus.packing import FRESH, KEEP, STEP, pack_batch, pack_report, unpack_batch, unpack_report
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.values import Batch, Job, LocationKey, Outcome, Report, State, Target

OLD, NEW = LocationKey(b"o" * 32), LocationKey(b"n" * 32)
SECRET = "h0nk-h0nk"
NOW = 1_800_000_000.0


def ring(*keys: LocationKey) -> Keyring:
    return Keyring(lambda _: keys)


def batch(**changed: Any) -> Batch:
    target = Target(kind="http", url=f"http://shop.example/{SECRET}")
    jobs = (Job(check=SECRET, due=NOW, deadline=NOW + 9, target=target),)
    return Batch(**{"id": "1.1", "location": "london", "issued": NOW, "expires": NOW + 10, "jobs": jobs} | changed)


def report(**changed: Any) -> Report:
    return Report(**{"actor": "alice", "location": "london", "sent": NOW} | changed)


def packed(said: Report, keyring: Keyring, *, issued: float = NOW, life: float = FRESH) -> tuple[bytes, ...]:
    return pack_report(said, keyring, number=1, issued=issued, expires=issued + life)


OUTCOME = Outcome(check="shop", due=NOW, location="london", state=State.UNKNOWN, attempts=())
SEALED = pack_batch(batch(), ring(OLD))[0]


def refusal(message: tuple[object, ...], keyring: Keyring) -> str:
    with pytest.raises(Unreadable) as refused:
        unpack_batch(message, keyring)
    assert SECRET not in str(refused.value)
    return str(refused.value)


def test_a_sealed_batch_comes_out_as_it_went_in() -> None:
    assert unpack_batch((SEALED,), ring(OLD)) == batch()


def test_a_sealed_batch_shows_nothing_of_its_jobs() -> None:
    assert SECRET.encode() in pack_batch(batch(), ring())[0]
    assert SECRET.encode() not in SEALED
    assert b"shop.example" not in SEALED


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_no_bit_of_an_envelope_can_be_changed(bit: int) -> None:
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    refusal((bytes(changed),), ring(OLD))


@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    refusal((noise,), ring(OLD))
    refusal((SEALED[: len(noise)] + noise,), ring(OLD))


@given(
    st.one_of(
        st.fixed_dictionaries({"location": st.text().filter("london".__ne__)}),
        st.fixed_dictionaries({"id": st.text().filter("1.1".__ne__)}),
        st.fixed_dictionaries({"issued": st.floats().filter(NOW.__ne__)}),
        st.fixed_dictionaries({"expires": st.floats().filter((NOW + 10).__ne__)}),
        st.fixed_dictionaries({"key": st.text()}),
        st.fixed_dictionaries({"nonce": st.binary()}),
        st.fixed_dictionaries({"body": st.binary()}),
    )
)
def test_no_part_of_an_envelope_can_be_replaced(other: dict[str, Any]) -> None:
    refusal((encode(replace(read_envelope(SEALED, "jobs"), **other)),), ring(OLD))


def test_the_parts_of_two_envelopes_cannot_be_swapped() -> None:
    keyring = ring(OLD)
    one, two = (read_envelope(pack_batch(batch(id=id_), keyring)[0], "jobs") for id_ in ("1.1", "1.2"))
    for part in ("id", "nonce", "body"):
        assert "seal is broken" in refusal((encode(replace(one, **{part: getattr(two, part)})),), keyring)


def test_an_envelope_of_one_direction_is_not_taken_for_the_other() -> None:
    keyring = ring(OLD)
    turned = replace(read_envelope(packed(report(), keyring)[0], "report"), direction="jobs")
    assert "seal is broken" in refusal((encode(turned),), keyring)
    assert "an envelope of report" in refusal(packed(report(), keyring), keyring)


def test_keys_of_other_locations_open_nothing() -> None:
    keyring = Keyring(lambda name: {"london": [OLD], "tokyo": [NEW]}.get(name, []))
    assert "another key" in refusal(pack_batch(batch(location="tokyo"), ring(OLD)), keyring)
    assert "no key here" in refusal(pack_batch(batch(location="paris"), ring(OLD)), keyring)


def test_an_envelope_without_a_seal_is_refused_where_there_is_a_key() -> None:
    assert "without a seal" in refusal(pack_batch(batch(), ring()), ring(OLD))
    assert "no key here" in refusal((SEALED,), ring())
    assert unpack_batch(pack_batch(batch(), ring()), ring()) == batch()


def test_a_seal_around_something_else_is_refused() -> None:
    keyring = ring(OLD)
    around = {
        "does not hold what it says": Envelope(
            direction="jobs", location="london", id="1.1", issued=NOW, expires=NOW, body=SECRET.encode()
        ),
        "another batch": Envelope(
            direction="jobs", location="london", id="1.2", issued=NOW, expires=NOW, body=encode(batch())
        ),
    }
    for words, envelope in around.items():
        assert words in refusal(tuple(encode(each) for each in keyring.seal(envelope)), keyring)


@pytest.mark.parametrize("message", [(), (SEALED, SEALED, SEALED), (1,), (None, SECRET)])
def test_other_arguments_than_envelopes_are_refused(message: tuple[object, ...]) -> None:
    refusal(message, ring(OLD))


def test_two_keys_seal_for_both_and_either_opens() -> None:
    message = pack_batch(batch(), ring(NEW, OLD))
    assert len(message) == 2
    for keyring in (ring(NEW), ring(OLD), ring(OLD, NEW), ring(NEW, OLD)):
        assert unpack_batch(message, keyring) == batch()
    assert unpack_batch((SEALED,), ring(NEW, OLD)) == batch()


def test_no_nonce_comes_twice() -> None:
    keyrings = [ring(OLD), ring(OLD), ring(NEW, OLD)]
    sealed = [each for keyring in keyrings for _ in range(50) for each in pack_batch(batch(), keyring)]
    nonces = [read_envelope(each, "jobs").nonce for each in sealed]
    assert len(set(nonces)) == len(nonces) == 200


def test_a_key_cannot_be_told_by_its_name() -> None:
    name = msgspec.msgpack.decode(SEALED, type=Envelope).key
    assert len(name) == 16
    assert bytes.fromhex(name) not in OLD.secret


def test_a_beat_is_refused_once_it_has_expired() -> None:
    keyring = ring(OLD)
    beat = packed(report(holding=("1.1",)), keyring)
    assert unpack_report(beat, keyring, NOW + FRESH) == (report(holding=("1.1",)), True)
    with pytest.raises(Unreadable, match="a report that has expired"):
        unpack_report(beat, keyring, NOW + FRESH + 0.1)


def test_a_report_with_outcomes_counts_for_long_and_as_a_sign_of_life_for_seconds() -> None:
    keyring, said = ring(OLD), report(outcomes=(OUTCOME,))
    message = packed(said, keyring, life=KEEP)
    assert unpack_report(message, keyring, NOW + FRESH) == (said, True)
    assert unpack_report(message, keyring, NOW + KEEP) == (said, False)
    with pytest.raises(Unreadable, match="a report that has expired"):
        unpack_report(message, keyring, NOW + KEEP + 0.1)


def test_a_goodbye_that_somebody_kept_is_no_word_of_its_actor() -> None:
    keyring, goodbye = ring(OLD), report(leaving=True)
    message = packed(goodbye, keyring, life=KEEP)
    assert unpack_report(message, keyring, NOW + FRESH) == (goodbye, True)
    assert unpack_report(message, keyring, NOW + FRESH + 0.1) == (goodbye, False)


def test_a_beat_from_the_far_future_is_refused_and_an_outcome_is_not() -> None:
    keyring = ring(OLD)
    with pytest.raises(Unreadable, match="far ahead"):
        unpack_report(packed(report(), keyring, issued=NOW + STEP + 1), keyring, NOW)
    said = report(outcomes=(OUTCOME,))
    assert unpack_report(packed(said, keyring, issued=NOW + 2 * STEP), keyring, NOW) == (said, True)


def test_a_report_of_no_moment_at_all_is_refused() -> None:
    keyring = ring(OLD)
    for issued in (float("nan"), float("inf")):
        with pytest.raises(Unreadable):
            unpack_report(packed(report(), keyring, issued=issued), keyring, NOW)
