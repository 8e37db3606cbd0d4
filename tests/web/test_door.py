"""Who gets in: the loopback rule, sign-in, roles, and what other sites cannot make a browser do."""

import re
from base64 import b64encode

import pytest
from starlette.routing import Route

from nightowl.core.errors import ConfigurationError
from nightowl.core.values import User
from nightowl.web import access, passwords
from nightowl.web.cookies import SESSION as COOKIE
from nightowl.web.flower.paths import is_flowers

PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)
ELSEWHERE = {
    "is_loopback": False,
    "listen_host": "0.0.0.0",
    "allowed_hosts": ("owl.example",),
}  # the case that needs sign-in
PUBLIC = "http://owl.example:5555"


@pytest.fixture
def crowd(world):
    """Anna may read, Otto may work, Ada may all."""
    with world.store.transaction() as unit:
        for name, role in (("anna", "viewer"), ("otto", "operator"), ("ada", "admin")):
            unit.users.put(User(name=name, role=role, password_hash=HASH))
    return world


def token(client, path="/login"):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)[1]


def sign_in(client, name, password=PASSWORD, **more):
    return client.post("/login", data={"name": name, "password": password, "csrf": token(client), **more})


def signed_in(crowd, name):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    assert sign_in(client, name).status_code == 303
    return client


def all_routes(app):
    """Every path that the application serves, with its methods, parameters filled in."""
    routes = (route for route in app.routes if isinstance(route, Route))
    paths = {(method, re.sub(r"\{[^}]*\}", "x", route.path)) for route in routes for method in route.methods or ()}
    return sorted(paths)


def test_every_route_but_the_open_ones_is_closed_to_strangers(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    routes = all_routes(client.app)
    assert len(routes) > 40
    for method, path in routes:
        answer = client.request(method, path)
        if path in access.OPEN:
            assert answer.status_code == 200, (method, path)
        elif access.is_open(method, path) or path.startswith(access.PINGS):
            assert answer.status_code == 404, (method, path)
        elif method in access.READING and access.is_door(path):
            assert answer.status_code in (200, 404), (method, path)
        else:
            assert answer.status_code in (303, 401, 403), (method, path, answer.status_code)
            if answer.status_code == 303:
                assert "/login" in answer.headers["location"]


def test_until_a_user_exists_only_the_setup_answers(world):
    client = world.client(PUBLIC, **ELSEWHERE)
    for method, path in all_routes(client.app):
        status = client.request(method, path).status_code
        if is_flowers(path):
            assert status == 401, (method, path, status)
            continue
        allowed = (200,) if path in access.OPEN or path == "/setup" else (200, 303, 403, 404)
        assert status in allowed or method == "POST", (method, path, status)
        if not (access.is_open(method, path) or path in access.OPEN or access.is_door(path)):
            assert status in (303, 403), (method, path, status)
    assert client.get("/").headers["location"] == "/setup"


def test_on_this_machine_nobody_needs_to_sign_in(client):
    assert client.get("/checks").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5555", "127.0.0.1.evil.example"])
def test_a_foreign_host_name_is_refused_against_dns_rebinding(client, host):
    assert client.get("/checks", headers={"host": host}).status_code == 421
    assert client.get("/metrics", headers={"host": host}).status_code == 421


def test_a_request_that_a_proxy_handed_on_needs_to_sign_in_even_on_loopback(crowd):
    client = crowd.client()
    assert client.get("/checks", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 303
    public = crowd.client("https://owl.example", public_url="https://owl.example")
    assert public.get("/checks").headers["location"] == "/login?next=/checks"


def test_signing_in_opens_a_session_and_signing_out_ends_it(crowd):
    client = signed_in(crowd, "otto")
    assert client.get("/checks").status_code == 200
    session = client.cookies[COOKIE]
    assert client.post("/logout", data={"csrf": token(client, "/checks")}).status_code == 303
    client.cookies.set(COOKIE, session, domain="owl.example")
    assert client.get("/checks").status_code == 303


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(crowd):
    client = crowd.client("https://owl.example", **ELSEWHERE, public_url="https://owl.example")
    cookie = sign_in(client, "otto").headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Secure", "Path=/"))


def test_a_session_ends_with_its_time_and_with_a_new_password(crowd):
    client = signed_in(crowd, "otto")
    with crowd.store.transaction() as unit:
        unit.users.put(User(name="otto", role="operator", password_hash=passwords.hashed("another password")))
    assert client.get("/checks").status_code == 303
    client = signed_in(crowd, "ada")
    crowd.clock.time += 15 * 86400
    assert client.get("/checks").status_code == 303


def test_after_signing_in_one_is_led_on_but_never_to_another_site(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    assert sign_in(client, "otto", next="/incidents").headers["location"] == "/incidents"
    for trick in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert sign_in(client, "otto", next=trick).headers["location"] == "/"


def test_guessing_is_slowed_down_and_says_for_how_long(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    for _ in range(5):
        assert sign_in(client, "otto", "wrong").status_code == 403
    answer = sign_in(client, "otto")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 301
    crowd.clock.time += 301
    assert sign_in(client, "otto").status_code == 303


def test_a_viewer_reads_and_changes_nothing(crowd):
    client = signed_in(crowd, "anna")
    page = client.get("/checks/shop-checkout")
    assert page.status_code == 200
    assert "Run now" not in page.text
    for path in ("/checks/shop-checkout/run", "/checks/shop-checkout/delete", "/add", "/channels/ops-mail/test"):
        assert client.post(path, data={"csrf": token(client, "/checks"), "confirm": "yes"}).status_code == 403
    csrf = {"x-csrf-token": token(client, "/checks")}
    assert client.put("/api/v1/checks/new", json={"url": "https://x.example"}, headers=csrf).status_code == 403
    assert client.delete("/api/v1/checks/shop-front", headers=csrf).status_code == 403


def test_a_viewer_is_refused_a_form_before_filling_it_in(crowd):
    client = signed_in(crowd, "anna")
    for path in ("/add", "/add.json", "/checks/shop-front/edit"):
        assert client.get(path).status_code == 403
    for path in ("/", "/checks", "/checks/shop-front", "/incidents/own-office-1", "/channels"):
        page = client.get(path).text
        assert not re.search(r">(Add a check|Acknowledge|Edit|Delete|Send a test)<", page)


def test_a_viewer_may_choose_a_theme(crowd):
    client = signed_in(crowd, "anna")
    answer = client.post("/preferences", data={"csrf": token(client, "/checks"), "theme": "dark", "next": "/checks"})
    assert answer.headers["location"] == "/checks"
    assert 'data-theme="dark"' in client.get("/checks").text


def test_a_form_without_its_token_changes_nothing(client):
    for data in ({}, {"csrf": "0" * 64}):
        assert client.post("/checks/shop-front/pause", data=data).status_code == 403


def test_a_page_of_another_site_changes_nothing(client):
    data = {"csrf": token(client, "/checks")}
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert client.post("/checks/shop-front/pause", data=data, headers=headers).status_code == 403
        assert client.delete("/api/v1/checks/shop-front", headers=headers).status_code == 403
    assert (
        client.post("/checks/shop-front/pause", data=data, headers={"origin": "http://127.0.0.1:5555"}).status_code
        == 303
    )


def test_the_api_takes_no_body_that_a_form_could_send(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = client.post("/api/v1/checks/shop-front/run", content=b"x", headers={"content-type": kind})
        assert answer.status_code == 415


def test_a_session_speaks_to_the_api_with_its_token_only(crowd):
    client = signed_in(crowd, "otto")
    assert client.post("/api/v1/checks/shop-front/run").status_code == 403
    csrf = {"x-csrf-token": token(client, "/checks")}
    assert client.post("/api/v1/checks/shop-front/run", headers=csrf).status_code == 202


def test_programs_sign_in_to_the_api_by_http_basic(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)

    def basic(name, password):
        return {"authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}

    assert client.get("/api/v1/checks", headers=basic("anna", PASSWORD)).status_code == 200
    assert client.post("/api/v1/checks/shop-front/run", headers=basic("anna", PASSWORD)).status_code == 403
    assert client.post("/api/v1/checks/shop-front/run", headers=basic("otto", PASSWORD)).status_code == 202
    refused = client.get("/api/v1/checks", headers=basic("anna", "wrong"))
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert client.get("/checks", headers=basic("anna", PASSWORD)).status_code == 303


def test_the_first_user_needs_the_token_from_the_log(world, caplog):
    with caplog.at_level("WARNING"):
        client = world.client(PUBLIC, **ELSEWHERE)
        client.app.state.opened("http://127.0.0.1:5555")
    logged = re.search(r"/setup\?token=(\S+)", caplog.text)[1]
    form = {"name": "ada", "password": PASSWORD, "csrf": token(client, "/setup")}
    assert client.post("/setup", data=form | {"token": "guess"}).status_code == 403
    assert client.post("/setup", data=form | {"token": logged, "password": "short"}).status_code == 403
    assert client.post("/setup", data=form | {"token": logged}).status_code == 303
    assert client.get("/checks").status_code == 200
    assert client.get("/setup").status_code == 404


def test_signing_in_before_anybody_can_leads_to_the_set_up(world):
    answer = world.client(PUBLIC, **ELSEWHERE).get("/login")
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")


def test_on_this_machine_nothing_warns_of_a_missing_user(world, caplog):
    world.client(public_url="https://owl.example")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_the_first_user_may_come_from_a_password_file(world, tmp_path, monkeypatch):
    file = tmp_path / "password"
    monkeypatch.setenv("NIGHTOWL_ADMIN_PASSWORD_FILE", str(file))
    with pytest.raises(ConfigurationError, match="NIGHTOWL_ADMIN_PASSWORD_FILE"):
        world.client(PUBLIC, **ELSEWHERE)
    file.write_text(PASSWORD + "\n")
    client = world.client(PUBLIC, **ELSEWHERE)
    assert sign_in(client, "admin").status_code == 303


def test_every_answer_carries_the_security_headers(client):
    for path in ("/", "/health", "/api/v1/checks", "/static/none.css", "/nowhere"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_no_page_has_inline_script_or_style(client):
    for path in ("/", "/checks", "/checks/shop-checkout", "/incidents", "/add", "/locations"):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", text)


def test_a_body_that_is_too_long_is_not_read(client):
    answer = client.put(
        "/api/v1/checks/long", content=b'{"url": "' + b"x" * 5_000_000, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_under_a_prefix_links_and_cookies_stay_below_it(world):
    client = world.client(url_prefix="/owl")
    page = client.get("/owl/checks")
    assert page.status_code == 200
    assert 'href="/owl/checks/shop-checkout"' in page.text
    assert "Path=/owl" in page.headers["set-cookie"]
    assert client.get("/checks").status_code == 200
