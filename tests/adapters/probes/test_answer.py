"""How an answer is taken in, and which ones are judged beside the engine's owner."""

import pytest

from nightowl.adapters.probes.answer import Answer
from nightowl.adapters.probes.body import EXCERPT_SOURCE, MAX_BODY
from nightowl.core.values import Expect


def taken_in(*lines, body=b"", keep=MAX_BODY):
    answer = Answer(keep)
    for line in (b"HTTP/1.1 200 OK", *lines, b""):
        answer.header(line + b"\r\n")
    answer.body(body)
    return answer


@pytest.mark.parametrize(
    ("answer", "expect", "heavy"),
    [
        (taken_in(body=b"hello"), Expect(body="hello"), False),
        (taken_in(body=b"x" * 20_000, keep=EXCERPT_SOURCE), Expect(), False),
        (taken_in(body=b"x" * 20_000), Expect(body="hello"), True),
        (taken_in(body=b"{}"), Expect(json={"$..*": 1}), True),
        (taken_in(body=b"hello"), Expect(regex="(a+)+$"), True),
        (taken_in(b"content-encoding: gzip", body=b"small", keep=EXCERPT_SOURCE), Expect(), True),
    ],
)
def test_what_costs_more_than_a_moment_is_heavy(answer, expect, heavy):
    assert answer.heavy(expect) is heavy


def test_a_trailer_changes_nothing():
    answer = taken_in(body=b"hello")

    answer.header(b"Content-Encoding: gzip\r\n")
    answer.header(b"\r\n")

    assert answer.complete
    answer.judge(Expect(body="hello"), 200, str)


def test_the_headers_after_an_interim_answer_are_those_of_the_answer():
    answer = Answer(MAX_BODY)
    for line in (b"HTTP/1.1 103 Early Hints", b"X: 1", b"", b"HTTP/1.1 200 OK", b"X: 2", b""):
        answer.header(line + b"\r\n")

    answer.judge(Expect(header={"X": "2"}), 200, str)
    assert answer.interim


def test_a_body_in_crumbs_ends_long_before_it_is_too_large():
    answer = taken_in()

    taken = sum(answer.body(b"z") is None for _ in range(100_000))

    assert taken < 20_000
    assert answer.failure is not None
    assert answer.failure.reason == "limit.body"
