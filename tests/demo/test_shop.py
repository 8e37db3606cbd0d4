"""The sample shop: each page fails in its own way, and only in that."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from nightowl.demo.shop import PAGES, Shop


@pytest.fixture(scope="module")
def shop():
    shop = Shop()
    shop.start()
    yield shop
    shop.stop()


def get(url: str, location: str = "london") -> httpx.Response:
    return httpx.get(url, headers={"User-Agent": f"NightOwl/0.1.0 ({location})"}, trust_env=False)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_not_broken_is_served(shop, name):
    answer = get(shop.urls[name])
    assert (answer.status_code, answer.text) == (200, PAGES[name].text)


def test_a_broken_page_answers_503_until_it_is_healed(shop):
    shop.break_("payments")
    assert get(shop.urls["payments"]).status_code == 503
    assert get(shop.urls["front"]).status_code == 200
    shop.heal("payments")
    assert get(shop.urls["payments"]).json() == {"ok": True}


def test_checkout_fails_for_one_location_only(shop):
    answers = {location: get(shop.urls["checkout"], location).status_code for location in ("london", "tokyo")}
    assert answers == {"london": 200, "tokyo": 503}


def test_search_takes_its_time(shop):
    assert get(shop.urls["search"]).elapsed.total_seconds() > 0.3


def test_the_partners_certificate_has_expired_and_nothing_else_is_wrong_with_it(shop):
    trusting = ssl.create_default_context(cadata=shop.ca)
    with pytest.raises(httpx.ConnectError, match="certificate has expired"):
        httpx.get(shop.urls["partners"], verify=trusting, trust_env=False)


def test_who_does_not_mind_the_certificate_sees_the_page(shop):
    assert httpx.get(shop.urls["partners"], verify=False, trust_env=False).status_code == 200


def test_an_unknown_page_is_not_found(shop):
    assert get(shop.urls["front"] + "nothing").status_code == 404


def test_a_query_changes_nothing(shop):
    assert get(shop.urls["search"] + "?q=lamp").status_code == 200


def test_a_head_request_gets_no_body(shop):
    answer = httpx.head(shop.urls["front"], trust_env=False)
    assert answer.status_code == 200
    assert not answer.content


@pytest.mark.parametrize(
    "garbage", [b"garbage\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"x" * 200_000]
)
def test_garbage_is_dropped_and_the_shop_goes_on(shop, garbage):
    with socket.create_connection(("127.0.0.1", shop.ports[0])) as connection:
        connection.sendall(garbage)
        connection.settimeout(10)
        assert hung_up(connection)
    assert get(shop.urls["front"]).status_code == 200


def hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_a_shop_stops_while_clients_are_connected():
    shop = Shop()
    shop.start()
    with socket.create_connection(("127.0.0.1", shop.ports[0])) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        shop.stop()
    with pytest.raises(httpx.ConnectError):
        get(shop.urls["front"])
