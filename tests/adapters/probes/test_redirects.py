"""Where a redirect leads, and what stays behind when it leaves the origin."""

import pytest

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.redirects import Request, follow, located

SENT = Request(
    "https://shop.example/login",
    "POST",
    (("Authorization", "Basic abc"), ("Cookie", "a=b"), ("X-Api-Key", "k"), ("Accept", "*/*"), ("Host", "shop")),
    b"{}",
    identified=True,
)
GET = Request("https://shop.example/", "GET", (("Authorization", "Bearer t"),), b"", identified=True)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_becomes_a_get_at_the_same_origin_and_keeps_its_credentials(status):
    after = follow(SENT, status, "https://shop.example:443/home", (SENT.url,), 5)

    assert (after.method, after.body, after.identified) == ("GET", b"", True)
    assert [name for name, _ in after.headers] == ["Authorization", "Cookie", "X-Api-Key", "Accept"]


@pytest.mark.parametrize("status", [307, 308])
def test_a_post_stays_a_post_where_the_status_says_so(status):
    after = follow(SENT, status, "https://shop.example/again", (SENT.url,), 5)

    assert (after.method, after.body, after.headers) == ("POST", b"{}", SENT.headers)


@pytest.mark.parametrize(
    "location",
    ["http://shop.example/", "https://shop.example:8443/", "https://other.example/", "https://a.shop.example/"],
)
@pytest.mark.parametrize("status", [302, 307])
def test_another_origin_gets_no_credentials_no_method_and_no_body(location, status):
    after = follow(SENT, status, location, (SENT.url,), 5)

    assert after == Request(location, "GET", (("Accept", "*/*"),), b"", identified=False)


@pytest.mark.parametrize(
    ("location", "visited", "limit", "reason"),
    [
        ("file:///etc/passwd", 1, 5, "redirect.scheme"),
        ("gopher://shop.example/", 1, 5, "redirect.scheme"),
        ("https://shop.example/", 1, 5, "redirect.loop"),
        ("https://shop.example/next", 3, 2, "redirect.limit"),
        ("https://[shop/", 1, 5, "redirect.no_location"),
    ],
)
def test_a_redirect_that_cannot_be_followed_names_why(location, visited, limit, reason):
    with pytest.raises(Failure) as caught:
        follow(GET, 302, location, tuple([GET.url] * visited), limit)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("found", "url"),
    [
        (b"https://shop.example/caf%E9?a=b", "https://shop.example/caf%E9?a=b"),
        ("https://eul\u00e9.example:8443/a?b".encode(), "https://xn--eul-dma.example:8443/a?b"),
    ],
)
def test_a_location_is_a_url_with_its_host_in_ascii(found, url):
    assert located(found, 302) == url


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "redirect.no_location"),
        (b"", "redirect.no_location"),
        (b"https://\xe9\xff/", "redirect.no_location"),
        (b"https://[shop/", "redirect.no_location"),
        (b"https://shop.example:99999/", "redirect.no_location"),
        ("https://\u00e9..example/".encode(), "dns.malformed"),
    ],
)
def test_a_location_that_is_no_url_names_why(found, reason):
    with pytest.raises(Failure) as caught:
        located(found, 302)

    assert caught.value.reason == reason


def test_as_many_redirects_as_allowed_are_followed():
    assert follow(GET, 302, "https://shop.example/2", (GET.url, "https://shop.example/1"), 2).url.endswith("/2")
