"""What an http attempt sends, follows, measures and reports."""

import pytest

from nightowl import __version__
from nightowl.adapters.probes.body import GLIMPSE
from nightowl.core.values import Expect, Network, Policy, State, Warn

PAGE = "a page that is long enough"


def test_a_healthy_answer_is_up_with_its_figures(faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve('fine')}/")

    assert (result.state, result.status, result.address, result.reason) == (State.UP, 200, "127.0.0.1", "")
    phases = result.phases
    assert phases.tls is None
    assert result.duration == pytest.approx(phases.dns + phases.connect + phases.first_byte + phases.transfer)
    assert result.excerpt == "hello from a healthy shop"


def test_a_good_answer_shows_less_of_its_start_than_a_bad_one(faults, attempt):
    url = f"http://127.0.0.1:{faults.serve('compressed')}/"

    good, bad = attempt(url), attempt(url, expect=Expect(status=((500, 599),)))

    assert good.excerpt == bad.excerpt[:GLIMPSE]
    assert len(good.excerpt) == GLIMPSE < len(bad.excerpt)


def test_a_request_is_sent_as_it_is_described(faults, attempt):
    port = faults.serve("fine")

    attempt(
        f"http://127.0.0.1:{port}/login?a=b",
        method="POST",
        headers={"Accept": "text/html", "X-Empty": ""},
        body='{"probe": true}',
        basic="owl:hoot",
    )

    head, _, body = faults.requests[0].decode().partition("\r\n\r\n")
    lines = head.split("\r\n")
    assert lines[0] == "POST /login?a=b HTTP/1.1"
    assert {"Accept: text/html", "X-Empty:", "Authorization: Basic b3dsOmhvb3Q="} <= set(lines)
    assert f"User-Agent: NightOwl/{__version__}" in lines
    assert not [line for line in lines if line.startswith(("Expect", "Content-Type"))]
    assert body == '{"probe": true}'


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"bearer": "t0ken"}, "Authorization: Bearer t0ken"),
        ({"user_agent": "Probe/1"}, "User-Agent: Probe/1"),
        ({"method": "DELETE"}, "DELETE / HTTP/1.1"),
        ({"method": "PUT"}, "Content-Length: 0"),
        ({"http_version": "1.0"}, "GET / HTTP/1.0"),
        ({"headers": {"Host": "shop.example"}}, "Host: shop.example"),
    ],
)
def test_a_request_carries(fields, line, faults, attempt):
    attempt(f"http://127.0.0.1:{faults.serve('fine')}/", **fields)

    assert line in faults.requests[0].decode().split("\r\n")


def test_credentials_in_a_url_are_sent_as_basic(faults, attempt):
    attempt(f"http://owl:ho%20ot@127.0.0.1:{faults.serve('fine')}/")

    assert b"Authorization: Basic b3dsOmhvIG90" in faults.requests[0]


def test_a_head_request_has_no_body_to_wait_for(faults, attempt):
    assert attempt(f"http://127.0.0.1:{faults.serve('truncated')}/", method="HEAD").state is State.UP


def test_a_header_cannot_break_out_of_its_line(faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve('fine')}/", headers={"X": "a\r\nY: b"})

    assert (result.reason, result.state) == ("own.target", State.UNKNOWN)


@pytest.mark.parametrize(
    ("behaviour", "expect", "reason"),
    [
        ("fine", Expect(body="healthy", not_body="error", regex="sh.p$"), ""),
        ("fine", Expect(body="basket"), "assert.body"),
        ("json", Expect(json={"$.ok": True, "$.items[*].price": 1}, header={"Content-Type": "json"}), ""),
        ("json", Expect(json={"$.ok": False}), "assert.json"),
        ("json", Expect(header={"Content-Type": "html"}), "assert.header"),
        ("fine", Expect(json={"$.ok": True}), "decode.json"),
        ("deep_json", Expect(json={"$.ok": True}), "decode.json"),
        ("wrong_charset", Expect(body="x"), "decode.charset"),
        ("compressed", Expect(body=PAGE), ""),
        ("encoding_in_trailer", Expect(body="hello"), ""),
        ("missing", Expect(status=((404, 404),), body="no such page"), ""),
    ],
)
def test_expectations_are_judged(behaviour, expect, reason, faults, attempt):
    assert attempt(f"http://127.0.0.1:{faults.serve(behaviour)}/", expect=expect).reason == reason


def test_an_answer_slower_than_wished_is_degraded(faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve('fine')}/", warn=Warn(duration=0.0))

    assert (result.state, result.reason, result.good) == (State.DEGRADED, "assert.latency", True)


def test_the_wait_for_an_answer_does_not_end_with_an_interim_one(faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve('hints')}/")

    assert result.status == 200
    assert result.phases.first_byte >= 0.19


def test_secrets_that_a_target_sends_back_are_masked(faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve('echo')}/", basic="owl:hunter2", headers={"X-Api-Key": "k-77"})

    assert "GET / HTTP/1.1" in result.excerpt
    assert not [secret for secret in ("hunter2", "b3dsOmh1bnRlcjI", "k-77") if secret in result.excerpt]


def test_the_values_of_references_show_nowhere(faults, attempt):
    fields = {
        "headers": {"X-Shop": "tr0ub4dor/&3"},
        "url": f"http://127.0.0.1:{faults.serve('echo')}/?shop=tr0ub4dor%2F%263",
        "secrets": ("tr0ub4dor/&3",),
        "expect": Expect(status=((500, 500),), regex="^no tr0ub4dor/&3 here"),
    }

    result = attempt(**fields)

    assert result.reason == "assert.body"
    assert "X-Shop: ***" in result.excerpt
    assert not [text for text in (result.excerpt, result.detail) if "tr0ub4dor" in text]


def test_a_secret_in_a_host_that_is_none_is_masked(attempt):
    assert attempt("http://hunter2..example/", secrets=("hunter2",)).detail == "'***..example' is not a host name"


def test_a_value_in_json_is_masked_in_what_is_said_of_it(faults, attempt):
    result = attempt(
        f"http://127.0.0.1:{faults.serve('json')}/",
        secrets=("hunter2", "price"),
        expect=Expect(json={"$.items[0]": {"key": "hunter2"}}),
    )

    assert result.detail == '$.items[0] is {"***":1}, expected {"key":"***"}'


# -- redirects -----------------------------------------------------------------------------------------------------


def test_a_redirect_is_followed_and_its_time_counts(faults, attempt):
    final = faults.serve("fine")

    result = attempt(f"http://127.0.0.1:{faults.serve('redirect_as_asked')}/?to=http://127.0.0.1:{final}/")

    assert (result.status, result.state) == (200, State.UP)


def test_a_redirect_to_another_port_carries_no_credentials(faults, attempt):
    final = faults.serve("fine")

    attempt(
        f"http://127.0.0.1:{faults.serve('redirect_as_asked')}/?to=http://127.0.0.1:{final}/",
        method="POST",
        body="secret",
        basic="owl:hunter2",
        headers={"Cookie": "a=b", "X-Token": "t"},
    )

    assert b"Authorization" in faults.requests[0]
    assert faults.requests[1].startswith(b"GET / HTTP/1.1")
    assert not [word for word in (b"Authorization", b"Cookie", b"X-Token", b"secret") if word in faults.requests[1]]


def test_without_redirects_the_status_is_judged(faults, attempt):
    port = faults.serve("redirect_loop")

    moved = attempt(f"http://127.0.0.1:{port}/", redirects=0)
    wanted = attempt(f"http://127.0.0.1:{port}/", redirects=0, expect=Expect(status=((302, 302),)))

    assert (moved.reason, wanted.reason) == ("assert.status", "")


def test_the_guard_stands_at_every_hop(faults, attempt):
    final = faults.serve("fine")
    first = faults.serve("redirect_as_asked")
    policy = Policy(reach="private", allow=(Network("127.0.0.0/8", (first,)),))

    result = attempt(f"http://127.0.0.1:{first}/?to=http://127.0.0.1:{final}/", policy)

    assert (result.reason, len(faults.requests)) == ("policy.port", 1)


# -- tls -----------------------------------------------------------------------------------------------------------


def test_a_certificate_is_reported(faults, certificates, attempt):
    port = faults.serve("fine", certificates.good())

    result = attempt(f"https://127.0.0.1:{port}/", ca=certificates.authority)

    assert result.state is State.UP
    assert result.phases.tls > 0
    assert {"127.0.0.1", "localhost"} == set(result.certificate.names)
    assert result.certificate.not_before < result.started < result.certificate.not_after
    assert "trustme" in result.certificate.issuer
    assert (result.certificate.protocol, result.certificate.problem) == ("TLSv1.3", "")


def test_a_certificate_that_ends_soon_is_degraded(faults, certificates, attempt):
    port = faults.serve("fine", certificates.expiring())

    result = attempt(f"https://127.0.0.1:{port}/", ca=certificates.authority, warn=Warn(certificate=14 * 86400.0))

    assert (result.state, result.reason) == (State.DEGRADED, "assert.tls_expiry")


def test_a_certificate_is_taken_as_it_is_without_verification(faults, certificates, attempt):
    port = faults.serve("fine", certificates.misnamed())

    result = attempt(f"https://127.0.0.1:{port}/", verify=False)

    assert result.state is State.UP
    assert result.certificate.names == ("elsewhere.example",)


def test_a_client_certificate_opens_the_door(faults, certificates, attempt):
    port = faults.serve("fine", certificates.demanding())
    certificate, key = certificates.client()

    result = attempt(
        f"https://127.0.0.1:{port}/", ca=certificates.authority, client_certificate=certificate, client_key=key
    )

    assert result.state is State.UP


@pytest.mark.parametrize("fields", [{"ca": "no pem"}, {"client_certificate": "no pem", "client_key": "no pem"}])
def test_broken_certificates_of_our_own_say_nothing_of_the_target(fields, faults, certificates, attempt):
    port = faults.serve("fine", certificates.good())

    result = attempt(f"https://127.0.0.1:{port}/", **{"ca": certificates.authority, **fields})

    assert result.state is State.UNKNOWN
    assert result.reason.startswith("own.")
