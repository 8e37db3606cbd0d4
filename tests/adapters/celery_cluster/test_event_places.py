"""Which channels, places and TLS a broker's URL and options mean."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from kombu import Connection

from nightowl.adapters.celery_cluster.events.channels import database, pattern
from nightowl.adapters.celery_cluster.events.overflow import TELL, WAITING, Overflow
from nightowl.adapters.celery_cluster.place import Place, places
from nightowl.adapters.celery_cluster.tls import context, tls
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.settings import Tls


@pytest.mark.parametrize(
    "url",
    [
        "redis://owl:h%40nk@redis.example:6380/4",
        "redis://:h%2Fnk@redis.example",
        "amqp://owl:h0nk@rabbit.example:5673//shop",
        "amqp://rabbit.example/shop%2Fone",
        "amqp://[::1]:5672/shop",
    ],
)
def test_places_are_those_of_kombu(url: str) -> None:
    kombu = Connection(url)
    (place,) = places(url)
    parts = (kombu.hostname, kombu.port or 0, kombu.userid or "", kombu.password or "", kombu.virtual_host)
    assert (place.host, place.port, place.user, place.password, place.path or "/") == parts
    assert "h0nk" not in repr(place)


def test_alternatives_are_places() -> None:
    assert [place.shown for place in places("amqp://a:1//; amqp://[::1]:2//;")] == ["a:1", "[::1]:2"]
    assert places("redis+socket:///run/redis.sock?virtual_host=2")[0].shown == "/run/redis.sock"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "/3.celeryev/*"),
        ({"fanout_prefix": True, "fanout_patterns": True}, "/3.celeryev/*"),
        ({"fanout_prefix": False}, "celeryev/*"),
        ({"fanout_prefix": "/{db}x."}, "/3x.celeryev/*"),
        ({"fanout_patterns": False}, "/3.celeryev"),
        ({"global_keyprefix": "shop:"}, "shop:/3.celeryev/*"),
        ({"global_keyprefix": "a[*?]\\"}, r"a\[\*\?\]\\/3.celeryev/*"),
    ],
)
def test_patterns_of_channels(options: dict[str, Any], expected: str) -> None:
    assert pattern(options, 3) == expected


def test_databases() -> None:
    assert [database(path) for path in ("", "/", "7", "/7", 7, None)] == [0, 0, 7, 7, 7, 0]
    with pytest.raises(ValueError, match="number"):
        database("shop")


def test_tls_as_nightowl_celery_and_urls_say_it() -> None:
    files = Tls(ca="a", certificate="c", key="k")
    assert tls(files, always=False) == tls({"ca": "a", "certificate": "c", "key": "k"}, always=False) == files
    assert (
        tls({"ca_certs": "a", "certfile": "c", "keyfile": "k", "cert_reqs": ssl.CERT_REQUIRED}, always=False) == files
    )
    assert tls({"ssl_ca_certs": "a", "ssl_certfile": "c", "ssl_keyfile": "k"}, always=True) == files
    assert tls(None, always=False) is tls({"ca": "", "certificate": "", "key": ""}, always=False) is None
    assert tls({}, always=True) == tls(True, always=False) == Tls()
    for none in (ssl.CERT_NONE, "CERT_NONE", "none", 0):
        assert tls({"ssl_cert_reqs": none}, always=False) == Tls(verify=False)
    assert tls({"ssl_check_hostname": "false"}, always=False) == Tls(named=False)
    found = context(Tls(verify=False))
    assert (found.verify_mode, found.check_hostname) == (ssl.CERT_NONE, False)


def test_a_place_does_not_show_its_password() -> None:
    assert "h0nk" not in repr(Place("redis", "host", password="h0nk"))


def test_a_full_queue_is_a_gap_until_it_is_not() -> None:
    overflow = Overflow()
    assert overflow.counted(WAITING // 2, sure=10.0, now=11.0) is None
    assert overflow.counted(WAITING, sure=12.0, now=15.0) is None
    gap = overflow.counted(WAITING // 2, sure=12.0, now=16.0)
    assert gap == Gap(start=12.0, end=16.0, reason=gap.reason if gap else "")
    assert overflow.counted(WAITING // 2, sure=12.0, now=17.0) is None
    overflow.counted(WAITING, sure=20.0, now=20.0)
    told = overflow.counted(WAITING, sure=20.0, now=20.0 + TELL)
    assert told is not None
    assert (told.start, told.end) == (20.0, 20.0 + TELL)
