"""What an answer must look like, and what makes a good one merely degraded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes.expectations import (
    Headers,
    judge_body,
    judge_headers,
    judge_status,
    reads_body,
    shortcomings,
)
from nightowl.adapters.probes.failure import Failure
from nightowl.core.values import Certificate, Expect, Warn

DAY = 86400.0
JSON = '{"ok": true, "count": 3, "items": [{"price": 1}, {"price": 2}], "none": null}'


def reason_of(judge, *arguments):
    try:
        judge(*arguments)
    except Failure as failure:
        return failure.reason
    return ""


@pytest.mark.parametrize(
    ("expect", "body", "reason"),
    [
        (Expect(body="Basket"), "Your Basket is empty", ""),
        (Expect(body="Basket"), "Oops", "assert.body"),
        (Expect(not_body="Oops"), "Oops", "assert.body"),
        (Expect(not_body="Oops"), "Basket", ""),
        (Expect(regex=r"v\d+\.\d+"), "version v1.2", ""),
        (Expect(regex=r"^v\d+$"), "version v1.2", "assert.body"),
        (Expect(regex="(a+)+$"), "a" * 5000 + "b", "assert.body"),
        (Expect(regex="("), "text", "own.target"),
        (Expect(regex="((a{1000}){1000}){1000}"), "text", "own.target"),
        (Expect(json={"$[?match(@, '((a{1000}){1000}){1000}')]": 1}), '["text"]', "assert.json"),
        (Expect(json={"$.ok": True}), JSON, ""),
        (Expect(json={"$.ok": 1}), JSON, "assert.json"),
        (Expect(json={"$.none": None}), JSON, ""),
        (Expect(json={"$.missing": None}), JSON, "assert.json"),
        (Expect(json={"$.items[*].price": 1}), JSON, "assert.json"),
        (Expect(json={"$.items[0]": {"price": 1}}), JSON, ""),
        (Expect(json={"$.ok": True}), "<html>", "decode.json"),
        (Expect(json={"$": 1}), "[" * 200 + "]" * 200, "decode.json"),
        (Expect(json={"$": 1}), "[" * 100_000 + "]" * 100_000, "decode.json"),
        (Expect(json={"no path": 1}), "{}", "own.target"),
    ],
)
def test_a_body_is_judged(expect, body, reason):
    assert reads_body(expect)
    assert reason_of(judge_body, expect, lambda: body) == reason


def test_a_body_that_nobody_asks_about_is_not_decoded():
    judge_body(Expect(), lambda: pytest.fail("the text was asked for"))


@given(st.integers(100, 599))
def test_an_unexpected_status_is_an_error_of_the_server_or_a_broken_expectation(status):
    expected = "" if 200 <= status <= 299 else "http.status" if status >= 400 else "assert.status"
    assert reason_of(judge_status, Expect(), status) == expected


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"Content-Type": "json"}, ""),
        ({"content-type": "application/json"}, ""),
        ({"Via": "two"}, ""),
        ({"Content-Type": "html"}, "assert.header"),
        ({"X-Absent": ""}, "assert.header"),
    ],
)
def test_headers_are_judged_in_any_case_and_when_repeated(wanted, reason):
    headers = Headers([b"HTTP/1.1 200 OK\r\n", b"Content-Type: application/json\r\n", b"Via: one\r\n", b"Via: two\r\n"])
    assert reason_of(judge_headers, Expect(header=wanted), headers) == reason


def test_a_slow_answer_and_an_ending_certificate_are_degraded():
    certificate = Certificate(subject="s", issuer="i", not_before=0.0, not_after=100 * DAY)

    assert shortcomings(Warn(duration=2.0), 2.5, None, 0.0)[0] == "assert.latency"
    assert shortcomings(Warn(certificate=14 * DAY), 0.1, certificate, 90 * DAY)[0] == "assert.tls_expiry"
    assert shortcomings(Warn(duration=2.0, certificate=14 * DAY), 1.0, certificate, 80 * DAY) == ("", "")
    assert shortcomings(Warn(certificate=14 * DAY), 0.1, None, 0.0) == ("", "")
