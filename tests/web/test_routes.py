"""Every route, asked by everybody, against a table of who may: a route that is not in the table is a mistake."""

import re
import secrets

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Route

from nightowl.core.values import Token, User
from nightowl.web import cookies, forgery
from nightowl.web.access import needed, suffices
from nightowl.web.bearer import digest

PUBLIC = "http://owl.example:5555"
ELSEWHERE = {"is_loopback": False, "listen_host": "0.0.0.0", "allowed_hosts": ("owl.example",)}
ROLES = ("viewer", "operator", "admin")

PAGES = [
    "/",
    "/checks",
    "/checks/{name}",
    "/rules",
    "/rules/{name}",
    "/clusters",
    "/clusters/{cluster}",
    "/clusters/{cluster}/workers",
    "/clusters/{cluster}/workers/{worker:path}",
    "/clusters/{cluster}/queues",
    "/clusters/{cluster}/queues/{queue:path}",
    "/clusters/{cluster}/tasks",
    "/clusters/{cluster}/tasks/{uuid:path}",
    "/clusters/{cluster}/workflows/{root:path}",
    "/clusters/{cluster}/failures",
    "/clusters/{cluster}/beat",
    "/clusters/{cluster}/visibility",
    "/locations",
    "/incidents",
    "/incidents/{id}",
    "/silences",
    "/maintenance",
    "/channels",
    "/routes",
    "/account",
]

LINKS = {"GET /tasks", "GET /task/{subject:path}", "GET /worker/{subject:path}", "GET /broker"}
"""Pages of Flower, which lead to others."""

FLOWER = {
    "viewer": {
        *(f"GET /api/{what}" for what in ("tasks", "task/types", "task/info/{subject:path}")),
        "GET /api/task/result/{subject:path}",
        "GET /api/queues/length",
        "GET /workers",
        "GET /tasks/datatable",
        "POST /tasks/datatable",
    },
    "operator": {
        "GET /api/workers",
        *(f"POST /api/worker/{what}/{{subject:path}}" for what in ("shutdown", "pool/restart", "pool/grow")),
        *(f"POST /api/worker/{what}/{{subject:path}}" for what in ("pool/shrink", "pool/autoscale")),
        *(f"POST /api/worker/queue/{what}-consumer/{{subject:path}}" for what in ("add", "cancel")),
        *(f"POST /api/task/{what}/{{subject:path}}" for what in ("apply", "async-apply", "send-task", "abort")),
        *(f"POST /api/task/{what}/{{subject:path}}" for what in ("revoke", "timeout", "rate-limit")),
    },
}
"""Flower's paths: programs with a token are let in to its pages, too."""

MAY = {
    "open": {
        "GET /health",
        "GET /healthcheck",
        "GET /ready",
        "GET /metrics",
        "GET /metrics/cluster/{cluster}",
        *(f"{method} /ping/{{token}}{more}" for method in ("GET", "POST") for more in ("", "/{signal:path}")),
    },
    "door": {"GET /login", "POST /login", "GET /setup", "POST /setup", "GET /favicon.svg", "GET /static/{name}"},
    "viewer": {
        *(f"GET {path}" for path in PAGES),
        *LINKS,
        *(f"GET {path}.json" for path in PAGES[1:]),
        "GET /now.json",
        "GET /checks/{name}/phases.json",
        "GET /live",
        "POST /logout",
        "POST /preferences",
        "POST /account/password",
        "POST /account/sign-out",
        "POST /account/tokens",
        "POST /account/tokens/{name}/revoke",
        "GET /api/v1/openapi.json",
        "GET /api/v1/events",
        "GET /api/v1/checks",
        "GET /api/v1/checks/{name}",
        "GET /api/v1/checks/{name}/rounds",
        "GET /api/v1/checks/{name}/rounds/{due}",
        "GET /api/v1/checks/{name}/heartbeat",
        "GET /api/v1/checks/{name}/pings",
        "GET /api/v1/incidents",
        "GET /api/v1/incidents/{ident}",
        "GET /api/v1/silences",
        "GET /api/v1/silences/{number}",
        "GET /api/v1/routes/test",
        "GET /api/v1/rules",
        "GET /api/v1/rules/{name}",
        "GET /api/v1/rules/{name}/history",
        "POST /api/v1/rules/backtest",
        "POST /rules/preview",
        "POST /rules/try",
        "GET /api/v1/clusters",
        "GET /api/v1/clusters/{cluster}",
        "GET /api/v1/clusters/{cluster}/workers",
        "GET /api/v1/clusters/{cluster}/workers/{worker}",
        "GET /api/v1/clusters/{cluster}/queues",
        "GET /api/v1/clusters/{cluster}/gaps",
        "GET /api/v1/clusters/{cluster}/tasks",
        "GET /api/v1/clusters/{cluster}/tasks/{uuid}",
        "GET /api/v1/clusters/{cluster}/workflows/{root}",
        "GET /api/v1/clusters/{cluster}/names",
        "GET /api/v1/clusters/{cluster}/failures",
        "GET /api/v1/locations",
        "GET /api/v1/channels",
        "GET /api/v1/series",
        "GET /api/v1/tokens",
        "POST /api/v1/tokens",
        "DELETE /api/v1/tokens/{name}",
    },
    "operator": {
        "GET /add",
        "GET /add.json",
        "POST /add",
        "GET /checks/{name}/edit",
        "GET /checks/{name}/edit.json",
        "POST /checks/{name}/edit",
        "POST /checks/{name}/pause",
        "POST /checks/{name}/resume",
        "POST /checks/{name}/run",
        "POST /checks/{name}/delete",
        "POST /checks/{name}/new-url",
        "GET /rules/new",
        "GET /rules/new.json",
        "POST /rules/new",
        "GET /rules/{name}/edit",
        "GET /rules/{name}/edit.json",
        "POST /rules/{name}/edit",
        "POST /rules/{name}/delete",
        "POST /incidents/{id}/acknowledge",
        "POST /silences",
        "POST /silences/{number}/end",
        "POST /channels/{name}/test",
        "PUT /api/v1/checks",
        "PUT /api/v1/checks/{name}",
        "DELETE /api/v1/checks/{name}",
        "POST /api/v1/checks/{name}/pause",
        "POST /api/v1/checks/{name}/run",
        "POST /api/v1/checks/{name}/new-url",
        "PUT /api/v1/rules/{name}",
        "DELETE /api/v1/rules/{name}",
        "POST /api/v1/incidents/{ident}/acknowledge",
        "POST /api/v1/silences",
        "POST /api/v1/silences/{number}/end",
        "POST /api/v1/channels/{name}/test",
        *(
            f"GET /clusters/{{cluster}}/{page}{end}"
            for page in ("in-workers", "settings", "send")
            for end in ("", ".json")
        ),
        "POST /clusters/{cluster}/commands",
        "POST /clusters/{cluster}/send",
        "POST /clusters/{cluster}/tasks/revoke",
        "POST /clusters/{cluster}/tasks/retry",
        *(f"POST /clusters/{{cluster}}/tasks/{{uuid:path}}/{what}" for what in ("revoke", "retry", "abort")),
        "POST /clusters/{cluster}/queues/{queue:path}/purge",
        "POST /clusters/{cluster}/beat/{entry:path}/run",
        "POST /api/v1/clusters/{cluster}/commands",
        "POST /api/v1/clusters/{cluster}/send",
        "POST /api/v1/clusters/{cluster}/tasks/revoke",
        "POST /api/v1/clusters/{cluster}/tasks/retry",
        *(f"POST /api/v1/clusters/{{cluster}}/tasks/{{uuid}}/{what}" for what in ("revoke", "retry", "abort")),
        "POST /api/v1/clusters/{cluster}/events",
        "POST /api/v1/clusters/{cluster}/queues/{queue}/purge",
        "POST /api/v1/clusters/{cluster}/beat/{entry}/run",
    },
    "admin": {
        "GET /users",
        "GET /users.json",
        "POST /users",
        *(f"POST /users/{{name}}/{what}" for what in ["role", "password", "disable", "enable", "sign-out", "remove"]),
        "GET /audit",
        "GET /audit.json",
        "POST /api/v1/configuration/reload",
        "GET /api/v1/users",
        "POST /api/v1/users",
        "PATCH /api/v1/users/{name}",
        "DELETE /api/v1/users/{name}",
        "POST /api/v1/users/{name}/sign-out",
        "GET /api/v1/audit",
    },
}
NEEDED = {route: who for table in (MAY, FLOWER) for who, routes in table.items() for route in routes}


def routes(app):
    """Every route that the application serves: ``GET /checks/{name}``."""
    return sorted(
        f"{method} {route.path_format if isinstance(route, APIRoute) else route.path}"
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or ()) - {"HEAD"}
    )


ENDS = {"/live": "?page=/nowhere", "/api/v1/events": "?after=-1"}
"""What is to be asked of streams, which would never end otherwise."""


class Caller:
    """Somebody with a session or a token, each request with a session of its own, as some end it."""

    def __init__(self, world, client, who):
        self.world, self.client, self.who = world, client, who

    def ask(self, method, path):
        headers, session, visit = {}, secrets.token_hex(8), "visit"
        if self.who.endswith("token"):
            headers["authorization"] = f"Bearer owl_{self.who}"
        elif self.who != "stranger":
            with self.world.store.transaction() as unit:
                unit.users.open_session(digest(session), self.who, self.world.clock.now() + 60)
            headers["cookie"] = f"{cookies.SESSION}={session}; {cookies.VISIT}={visit}"
        csrf = forgery.token(b"k" * 32, visit, session)
        if path.startswith("/api/"):
            return self.client.request(method, path, headers=headers | {"x-csrf-token": csrf})
        data = {"csrf": csrf} if method == "POST" else None
        return self.client.request(method, path, headers=headers, data=data)


@pytest.fixture
def crowd(world):
    """A user of each role, and a viewer's token."""
    with world.store.transaction() as unit:
        for role in (*ROLES, "spare"):
            kept = User(name=role, role="admin" if role == "spare" else role, password_hash="$argon2id$none")
            unit.users.put(kept)
        unit.tokens.add(Token(name="t", role="viewer", created=0.0), digest("owl_viewer token"))
    return world


@pytest.fixture
def client(crowd):
    """A stranger's browser; inside the block its requests share one event loop, which is twice as quick."""
    with crowd.client(PUBLIC, **ELSEWHERE) as client:
        yield client


def is_let_in(answer):
    to_the_door = answer.status_code == 303 and answer.headers["location"].startswith("/login?next=")
    refused = answer.status_code in (401, 403) and "not your present password" not in answer.text
    return not (refused or to_the_door)


def may(who, route):
    least = NEEDED[route]
    if least in ("open", "door"):
        return True
    if who == "viewer token":
        return least == "viewer" and (" /api/" in route or route in FLOWER["viewer"])
    return who in ROLES and ROLES.index(who) >= ROLES.index(least)


def test_every_route_stands_in_the_table(client):
    assert routes(client.app) == sorted(NEEDED)


@pytest.mark.parametrize("who", ["stranger", *ROLES, "viewer token"])
def test_a_route_lets_in_who_may_and_nobody_else(crowd, client, who):
    caller = Caller(crowd, client, who)
    wrong = []
    for route in routes(client.app):
        method, template = route.split(" ", 1)
        path = re.sub(r"\{[^}]*\}", "nothing", template)
        answer = caller.ask(method, path + ENDS.get(path, ""))
        assert answer.status_code < 500, (route, answer.text)
        if NEEDED[route] == "door" and method == "POST":
            continue  # judged by name and password, or by the token of the set-up
        if is_let_in(answer) != may(who, route):
            wrong.append((route, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("who", ["viewer", "operator"])
@pytest.mark.parametrize("end", ["%0a", "%0d%0a", "%09", "%c2%85", "%20", "/"])
def test_no_ending_of_a_path_lets_in_who_may_not(crowd, client, who, end):
    caller = Caller(crowd, client, who)
    for route in (route for route in routes(client.app) if not may(who, route)):
        method, template = route.split(" ", 1)
        answer = caller.ask(method, re.sub(r"\{[^}]*\}", "nothing", template) + end)
        assert answer.status_code == (403 if end in ("%20", "/") else 400), (route, answer.status_code)


@pytest.mark.parametrize("end", ["\n", "\r", " ", "/", ".json", "/more", "\u2028"])
def test_what_follows_a_path_never_lessens_the_role_that_it_needs(end):
    for route in (route for route, least in NEEDED.items() if least in ROLES):
        method, template = route.split(" ", 1)
        path = re.sub(r"\{[^}]*\}", "nothing", template)
        least, other = needed(method, path), needed(method, path + end)
        assert least == NEEDED[route]
        assert other is None or suffices(other, least), route


@pytest.mark.parametrize(
    "path", ["/login%0a", "/health%0a", "/metrics%0d", "/ping/token%0a", "/static/x%0a", "/nowhere%09"]
)
def test_control_characters_are_refused_where_everybody_may_come_too(client, path):
    assert client.get(path).status_code == 400


@pytest.mark.parametrize("path", ["/nowhere", "/Users", "/usersx", "/api/v1", "/api/v2/users", "/%2fusers"])
def test_outside_of_all_areas_there_is_nothing(crowd, client, path):
    assert [Caller(crowd, client, who).ask("GET", path).status_code for who in ("stranger", "admin")] == [404, 404]


def test_no_other_method_is_let_in_by_any_route(crowd, client):
    stranger = Caller(crowd, client, "stranger")
    for path in sorted({route.split(" ", 1)[1] for route in NEEDED}):
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
            route = f"{method} {path}"
            if NEEDED.get(route) in ("open", "door"):
                continue
            answer = stranger.ask(method, re.sub(r"\{[^}]*\}", "nothing", path))
            assert answer.status_code in (303, 401, 403, 404, 405, 415), (route, answer.status_code)
            assert answer.status_code != 404 or NEEDED.get(f"GET {path}") in ("open", "door")
