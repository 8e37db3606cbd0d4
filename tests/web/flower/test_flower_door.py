"""Who is let in to Flower's paths, by which way, and for what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from nightowl.core.values import Token, User
from nightowl.ports.people import AuditFilter
from nightowl.web.bearer import digest
from nightowl.web.passwords import hashed
from tests.web.flower.shop import WORKER, Shop

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]

CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
GROW = f"/api/worker/pool/grow/{WORKER}?n=x"  # which whoever is let in is told to be no number
PAIRS = ("ada:lovelace", "grace:hopper:1906")
TABLE = "/tasks/datatable?draw=1&start=0&length=1&order[0][column]=0"


@contextmanager
def tokens(shop: Shop) -> Iterator[dict[str, dict[str, str]]]:
    """Headers of programs with a token of each role."""
    roles = ("viewer", "operator", "admin")
    with shop.installation.store.transaction() as unit:
        for role in roles:
            unit.tokens.add(Token(name=role, role=role, created=0.0), digest(f"owl_{role}"))
    yield {role: {"Authorization": f"Bearer owl_{role}"} for role in roles}
    with shop.installation.store.transaction() as unit:
        for role in roles:
            unit.tokens.remove(role)


def statuses(client: httpx.Client, **asked: Any) -> list[int]:
    """What reading, the page of workers, the table of tasks, and an action answer."""
    found = [client.get(path, **asked).status_code for path in ("/api/tasks?limit=1", "/workers?json=1", TABLE)]
    return [*found, client.post(GROW, **asked).status_code]


def test_without_the_variable_the_api_is_closed_and_says_so(shop: Shop) -> None:
    with shop.beside() as client:
        answer = client.get("/api/workers")
        assert (answer.status_code, answer.text) == (401, CLOSED)
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        assert "access-control-allow-origin" not in answer.headers
        assert client.options("/api/workers").status_code == 401
        assert statuses(client) == [401, 200, 200, 401]  # who sits at this machine may see the pages


def test_elsewhere_the_pages_are_closed_too(shop: Shop) -> None:
    with shop.beside(is_loopback=False, listen_host="0.0.0.0") as client:
        assert statuses(client) == [401, 401, 401, 401]


def test_with_the_variable_everybody_is_let_in_and_pages_of_other_sites_may_read(shop: Shop) -> None:
    with shop.beside(unauthenticated_api=True, is_loopback=False, listen_host="0.0.0.0") as client:
        assert statuses(client) == [200, 200, 200, 400]
        assert statuses(client, headers={"Origin": "https://elsewhere.example"}) == [200, 200, 200, 400]
        for answer in (client.get("/api/task/types"), client.get("/api/task/info/0"), client.options("/api/tasks")):
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-origin" not in client.get("/health").headers
        assert client.get("/audit").status_code in (303, 401, 403)  # nothing else is opened


def test_a_wrong_token_is_no_better_where_all_is_open(shop: Shop) -> None:
    with shop.beside(unauthenticated_api=True) as client:
        assert statuses(client, headers={"Authorization": "Bearer owl_wrong"}) == [401, 401, 401, 401]


def test_tokens_are_let_in_by_their_role(shop: Shop) -> None:
    with tokens(shop) as headers, shop.beside() as client:
        assert statuses(client, headers=headers["viewer"]) == [200, 200, 200, 403]
        assert statuses(client, headers=headers["operator"]) == [200, 200, 200, 400]
        assert statuses(client, headers=headers["admin"]) == [200, 200, 200, 400]
        refused = client.post(f"/api/worker/shutdown/{WORKER}", headers=headers["operator"])
        assert (refused.status_code, refused.text) == (403, "This takes the role admin: shut down.")
        asked = [client.get("/api/workers", headers=headers[role]).status_code for role in ("viewer", "operator")]
        assert asked == [403, 200]


def test_who_has_one_of_the_pairs_may_do_everything_and_others_nothing(shop: Shop) -> None:
    with shop.beside(basic_auth=PAIRS, unauthenticated_api=True) as client:
        for pair in PAIRS:
            name, _, password = pair.partition(":")
            assert statuses(client, auth=(name, password)) == [200, 200, 200, 400]
        for given in ({}, {"auth": ("ada", "wrong")}, {"auth": ("", "lovelace")}):
            answer = client.get("/workers?json=1" if given else "/api/tasks", **given)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert "access-control-allow-origin" not in answer.headers


def test_nightowls_own_users_are_let_in_beside_the_pairs(shop: Shop) -> None:
    with shop.installation.store.transaction() as unit:
        unit.users.put(User(name="edsger", role="viewer", password_hash=hashed("shortest-path")))
    with shop.beside(basic_auth=PAIRS) as client:
        edsger = ("edsger", "shortest-path")
        assert (client.get("/api/task/types", auth=edsger).status_code, client.post(GROW, auth=edsger).status_code) == (
            200,
            403,
        )
    with shop.installation.store.transaction() as unit:
        unit.users.remove("edsger")


def test_pages_of_other_sites_can_do_nothing(shop: Shop) -> None:
    with shop.beside(basic_auth=PAIRS) as client:

        def said(headers: dict[str, str]) -> tuple[int, str]:
            answer = client.post(GROW, headers=headers, auth=("ada", "lovelace"))
            return answer.status_code, answer.text

        assert said({"Origin": "https://elsewhere.example"}) == (403, "Cross-origin request forbidden")
        assert said({"Origin": "null"}) == (403, "Cross-origin request forbidden")
        assert said({"Sec-Fetch-Site": "cross-site"}) == (403, "Cross-site request forbidden")
        assert said({"Sec-Fetch-Site": "same-site"}) == (403, "Cross-site request forbidden")
        own = {"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        assert said(own)[0] == 400


def test_where_all_is_read_only_nothing_is_changed(shop: Shop) -> None:
    with shop.beside(control=False, unauthenticated_api=True) as client:
        for path in (f"worker/shutdown/{WORKER}", "task/send-task/shop.add", "task/abort/1", "task/revoke/1"):
            answer = client.post(f"/api/{path}")
            assert (answer.status_code, answer.text) == (403, "Read only mode is enabled")
        assert client.get("/api/tasks?limit=1").status_code == 200


def test_what_was_done_is_in_the_audit(shop: Shop) -> None:
    shop.message(f"/api/worker/queue/cancel-consumer/{WORKER}?queue=told")
    with shop.installation.store.read() as unit:
        (entry,), _ = unit.audit.page(AuditFilter(), 0, 1)
    assert entry.what == "cluster.cancel_consumer"
    assert entry.subject == f"shop/{WORKER}"
    assert entry.author.address == "127.0.0.1"


def test_paths_are_below_the_prefix(shop: Shop) -> None:
    with shop.beside(unauthenticated_api=True, url_prefix="/flower") as client:
        assert client.get("/flower/api/workers?status=1").json()[WORKER] is True
        assert client.get("/flower/workers").headers["location"] == "/flower/clusters/shop/workers"
        assert client.get("/flower/task/a%2Fb").headers["location"] == "/flower/clusters/shop/tasks/a/b"
        assert client.get(f"/flower/worker/{WORKER}").headers["location"].endswith(f"/shop/workers/{WORKER}")
        assert client.get(f"/flower/worker/{WORKER}", follow_redirects=True).status_code == 200
        assert client.get("/flower/healthcheck").text == "OK"


def test_of_several_clusters_one_is_named(shop: Shop) -> None:
    (settings,) = shop.installation.current().clusters.values()
    clusters = {"shop": settings, "mail": replace(settings, name="mail")}
    with shop.beside(unauthenticated_api=True, clusters=clusters) as client:
        none, other = client.get("/api/workers?status=1"), client.get("/api/workers?status=1&cluster=nobody")
        assert (none.status_code, other.status_code) == (404, 404)
        assert none.text == "Several clusters are watched: say which by ?cluster=NAME, one of shop, mail"
        assert other.text == "Unknown cluster 'nobody': there are shop, mail"
        assert client.get("/api/workers?status=1&cluster=shop").json()[WORKER] is True
        assert client.get("/api/workers?status=1&cluster=mail").json() == {}
        assert client.get("/tasks").headers["location"] == "/clusters"
        assert client.get("/broker?cluster=mail").headers["location"] == "/clusters/mail/queues"


def test_where_no_result_backend_is_known_results_are_not_served(shop: Shop) -> None:
    (settings,) = shop.installation.current().clusters.values()
    with shop.beside(unauthenticated_api=True, clusters={"shop": replace(settings, backend="")}) as client:
        assert [client.get("/api/task/result/1").status_code, client.post("/api/task/abort/1").status_code] == [
            503,
            503,
        ]


def test_a_broker_that_is_away_is_told(shop: Shop) -> None:
    away = {"shop": replace(next(iter(shop.installation.current().clusters.values())), broker="redis://127.0.0.1:1/0")}
    with shop.beside(unauthenticated_api=True, clusters=away) as client:
        answer = client.post("/api/task/send-task/shop.add")
        assert (answer.status_code, answer.text) == (503, "Broker or result backend unavailable")
        refresh = client.get(f"/api/workers?refresh=1&workername={WORKER}")
        assert refresh.status_code == 503
        assert refresh.text.startswith("Failed to update workers: the broker at 127.0.0.1:1 does not answer")
