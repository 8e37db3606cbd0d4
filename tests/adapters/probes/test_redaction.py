"""A target's own secrets never show, in whatever form they come back."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes.body import EXCERPT, EXCERPT_SOURCE, excerpt
from nightowl.adapters.probes.redaction import QUOTED, quoted, redacted, redactor
from nightowl.core.redaction import MASK
from nightowl.core.secrecy import sounds_secret
from nightowl.core.values import Attempt, Certificate, Expect, State, Target

secrets = st.text(min_size=4, max_size=40, alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]))


def target(**fields):
    return Target(kind="https", url=fields.pop("url", "https://shop.example/"), **fields)


@given(secrets)
def test_a_secret_is_masked_in_all_its_forms(secret):
    hide = redactor(target(bearer=secret))
    for form in (secret, b64encode(secret.encode()).decode(), quote(secret, safe=""), quote_plus(secret)):
        assert hide(f"\0{form}\0") == f"\0{MASK}\0"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"basic": "user:hunter2"}, "password hunter2"),
        ({"basic": "user:hunter2"}, "Authorization: Basic " + b64encode(b"user:hunter2").decode()),
        ({"headers": {"X-Api-Key": "k-123"}}, "your key is k-123"),
        ({"headers": {"Authorization": "Token t-123"}}, "t-123"),
        ({"headers": {"Cookie": "session=abc"}}, "Cookie: session=abc"),
        ({"url": "https://user:pw-1@shop.example/"}, "pw-1"),
        ({"url": "https://shop.example/?token=q-9"}, "token=q-9"),
        ({"body": '{"user": "owl", "password": "pw-12"}'}, "wrong: pw-12"),
        ({"body": "user=owl&passwd=pw%2D12&x=1"}, "wrong: pw-12"),
        ({"body": '{"password": "a\\"b-12"}'}, 'wrong: a"b-12'),
        ({"body": "<token>t-123</token>"}, "t-123 is over"),
        ({"body": "a whole body"}, "you said: a whole body"),
        ({"send": "HELLO x\r\nAUTH hunter2\r\n"}, "-ERR hunter2"),
        ({"send": "USER owl\r\nPASS hunter2\r\n"}, "-ERR hunter2"),
        ({"bearer": "hunter2"}, b"hunter2".hex()),
        ({"bearer": "hunter2-hunter2"}, b64encode(b"x:hunter2-hunter2").decode()[4:-4]),
        ({"expect": Expect(header={"Set-Cookie": "sid=1234"})}, "not sid=1234"),
        ({"headers": {"Cookie": "sid=s-12345678; theme=dark"}}, "session s-12345678 has ended"),
        ({"headers": {"Authorization": 'Token token="t-12345678"'}}, "t-12345678 is over"),
        ({"url": "https://owl:hunter2@shop.example/"}, "Basic " + b64encode(b"owl:hunter2").decode()),
        ({"body": json.dumps({"token": "j" * 600})}, f"you said {'j' * 600}"),
        ({"body": f"token={'j' * 600}&x=1"}, f"you said {'j' * 600}"),
        ({"bearer": "Mixed-Case-Token"}, "http://mixed-case-token/"),
    ],
)
def test_every_place_of_a_secret_is_known(fields, shown):
    assert MASK in redactor(target(**fields))(shown)


@given(secrets)
def test_the_value_of_a_reference_is_masked_in_all_its_forms(secret):
    hide = redactor(target(secrets=(secret,)))
    escaped = json.dumps(secret)[1:-1]
    for form in (
        secret,
        b64encode(secret.encode()).decode(),
        urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        quote(secret, safe=""),
        escaped,
        escaped.replace("/", "\\/"),
        html.escape(secret),
    ):
        assert hide(f"\0{form}\0") == f"\0{MASK}\0"


@given(secrets, st.integers(4, 39))
def test_the_start_of_a_secret_at_the_end_of_a_text_is_masked(secret, kept):
    shown = redactor(target(secrets=(secret,)))(f"\0{secret[:kept]}")

    assert shown == f"\0{MASK}"


def test_the_value_of_a_short_reference_is_left():
    assert redactor(target(secrets=("abc", "")))("abcd") == "abcd"


def test_a_url_that_cannot_be_read_has_no_secrets_of_its_own():
    assert redactor(target(url="https://[shop/", secrets=("hunter2",)))("<hunter2>") == f"<{MASK}>"


def test_a_quotation_is_masked_before_it_is_cut():
    hide = redactor(target(secrets=("hunter2-and-more",)))

    assert "hunt" not in quoted("." * (QUOTED - 5) + "hunter2-and-more", hide)


def test_what_is_no_secret_stays():
    assert redactor(target(headers={"Accept": "text/html"}))("text/html") == "text/html"
    assert [sounds_secret(name) for name in ("Accept", "X-Auth-Token", "Cookie", "Content-Type")] == [
        False, True, True, False,
    ]  # fmt: skip


def test_a_secret_is_masked_before_an_excerpt_is_cut():
    secret = "a-secret-of-some-length"
    body = b"." * (EXCERPT - 5) + secret.encode() + b" and more"

    shown = excerpt(body, redactor(target(bearer=secret)))

    assert len(shown) == EXCERPT
    assert "a-sec" not in shown


@pytest.mark.parametrize("form", ["a-secret-of-some-length", "a-secr\u00e9t-of-some-length"])
@pytest.mark.parametrize("shift", range(4, 23))
def test_a_secret_that_the_source_of_an_excerpt_cuts_in_two_is_masked(form, shift):
    filler = b"other-secret" * 400  # so much of it that what is left of the source fits into an excerpt
    body = filler[: EXCERPT_SOURCE - shift - 1] + b"<" + form.encode()

    shown = excerpt(body, redactor(target(secrets=(form, "other-secret"))))

    assert "a-sec" not in shown


def test_a_secret_in_utf_16_is_masked():
    assert "hunter2" not in excerpt("<hunter2>".encode("utf-16"), redactor(target(secrets=("hunter2",)))).replace(
        "\N{MIDDLE DOT}", ""
    )


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_little_is_left_of_a_secret_in_base64_behind_other_bytes(before):
    text = b64encode(f"{before}a-long-secret-value, and more".encode()).decode()
    shown = redactor(target(bearer="a-long-secret-value"))(text)
    assert MASK in shown
    assert not any(text[at : at + 8] in shown for at in range(4, 22))


def test_what_is_said_harmlessly_stays_readable():
    hide = redactor(target(body='{"query": "shop"}', send="PING\r\n"))
    assert hide("the shop says PONG to PING") == "the shop says PONG to PING"


def test_names_in_a_certificate_are_masked():
    names = {"subject": "CN=hunter2.example", "issuer": "O=hunter2", "names": ("hunter2",), "chain": ("CN=hunter2",)}
    seen = Certificate(not_before=0, not_after=1, **names)
    attempt = Attempt(state=State.DOWN, started=0, duration=0, detail="hunter2", excerpt="a hunter2", certificate=seen)
    assert "hunter2" not in repr(redacted(attempt, redactor(target(bearer="hunter2"))))


def test_secrets_that_overlap_are_one_place():
    hide = redactor(target(secrets=("supersecretlongvalue", "secret", "valuemore")))
    assert hide("a supersecretlongvaluemore b") == f"a {MASK} b"
    assert hide("cut: supersecretlongv") == f"cut: {MASK}"


def test_of_a_long_text_to_say_a_bounded_number_of_lines_counts():
    body = "\n".join(f"line number {number}" for number in range(10_000))
    hide = redactor(target(body=body))
    assert hide("line number 7") == MASK
    assert hide("line number 9999") != MASK
