"""Users, tokens and sessions: who may change them, what ends them, and that all of it is written down."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from nightowl.cli import main
from nightowl.core.values import Author, User
from nightowl.ports import AuditFilter
from nightowl.web import passwords, tokens
from nightowl.web.hosts import is_ours
from nightowl.web.sign_in import FAILURES, SignIn, network_of
from nightowl.web.throttle import TooManyTries

PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)
ELSEWHERE = {"is_loopback": False, "listen_host": "0.0.0.0", "allowed_hosts": ("owl.example",)}
PUBLIC = "http://owl.example:5555"
ADA = Author("user", "ada", "192.0.2.1")


@pytest.fixture
def crowd(world):
    with world.store.transaction() as unit:
        for name, role in (("anna", "viewer"), ("otto", "operator"), ("ada", "admin")):
            unit.users.put(User(name=name, role=role, password_hash=HASH))
    return world


def csrf(client, path="/account"):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)[1]


def signed_in(crowd, name):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    answer = client.post("/login", data={"name": name, "password": PASSWORD, "csrf": csrf(client, "/login")})
    assert answer.status_code == 303
    return client


def token_of(crowd, **wish):
    return tokens.issue(crowd.store, ADA, crowd.clock.now(), tokens.Wish(**wish))


def told(world, **wanted):
    with world.store.read() as unit:
        return unit.audit.page(AuditFilter(**wanted), 0, 100)[0]


def bearer(text):
    return {"authorization": f"Bearer {text}"}


def test_a_token_may_what_its_role_and_its_owner_may(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    headers = bearer(token_of(crowd, name="ci", role="operator", owner="otto"))
    assert client.post("/api/v1/checks/shop-front/run", headers=headers).status_code == 202
    assert client.get("/api/v1/audit", headers=headers).status_code == 403
    assert client.get("/checks", headers=headers).headers["location"].startswith("/login")
    with crowd.store.transaction() as unit:
        unit.users.put(User(name="otto", role="viewer", password_hash=HASH))
    assert client.post("/api/v1/checks/shop-front/run", headers=headers).status_code == 403
    assert told(crowd, who="ci")[0].author == Author("token", "ci", "testclient")


def test_a_token_limits_also_on_this_machine(crowd):
    client = crowd.client()
    headers = bearer(token_of(crowd, name="graphs", role="viewer"))
    assert client.get("/api/v1/checks", headers=headers).status_code == 200
    assert client.delete("/api/v1/checks/shop-front", headers=headers).status_code == 403
    assert client.get("/api/v1/checks", headers=bearer("owl_wrong")).status_code == 401


def test_when_a_token_was_used_is_written_once_a_minute(crowd):
    client, headers = crowd.client(), bearer(token_of(crowd, name="t", role="viewer"))
    seen = []
    for _ in range(3):
        client.get("/api/v1/checks", headers=headers)
        with crowd.store.read() as unit:
            seen.append(unit.tokens.get("t").used)
        crowd.clock.time += 40
    assert seen[0] == seen[1] == seen[2] - 80


def test_a_token_makes_no_tokens_and_nobody_gives_more_than_they_have(crowd):
    client = crowd.client(PUBLIC, **ELSEWHERE)
    made = client.post("/api/v1/tokens", json={"name": "x"}, headers=bearer(token_of(crowd, name="a", role="admin")))
    assert made.status_code == 409
    anna = signed_in(crowd, "anna")
    wished = {"name": "x", "role": "operator", "lasting": "90 days", "csrf": csrf(anna)}
    assert anna.post("/account/tokens", data=wished).status_code == 422
    assert anna.post("/account/tokens/a/revoke", data={"csrf": csrf(anna)}).status_code == 404


def test_a_tokens_text_is_stored_nowhere(crowd, caplog):
    client = crowd.client()
    text = client.post("/api/v1/tokens", json={"name": "ci", "lasts": 86400}).json()["token"]
    assert text.startswith("owl_")
    pages = [client.get(path).text for path in ("/account", "/users", "/audit", "/api/v1/tokens", "/api/v1/audit")]
    assert not [page for page in [*pages, caplog.text] if text in page]
    assert client.delete("/api/v1/tokens/ci").status_code == 204
    assert client.get("/api/v1/checks", headers=bearer(text)).status_code == 401


def test_tokens_are_made_listed_and_revoked_on_the_command_line(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "nightowl.toml").write_text("[location.here]\n")

    def run(*arguments):
        return CliRunner().invoke(main, ["token", *arguments, "-c", str(tmp_path / "nightowl.toml")])

    assert run("new", "ci", "--role", "operator", "--expires", "90d").output.startswith("owl_")
    assert run("new", "ci").exit_code == 1
    assert run("new", "b", "--expires", "soon").exit_code == 2
    assert run("list").output.startswith("ci\toperator\t-\t")
    assert run("revoke", "ci").output == "token ci: revoked\n"
    assert run("list").output == "No tokens.\n"


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(crowd):
    here, there = signed_in(crowd, "anna"), signed_in(crowd, "anna")
    form = {"old": PASSWORD, "new": "another long one", "again": "another long one", "csrf": csrf(here)}
    assert here.post("/account/password", data=form | {"old": "wrong"}).status_code == 403
    assert here.post("/account/password", data=form | {"again": "different one"}).status_code == 422
    assert here.post("/account/password", data=form).status_code == 303
    assert here.get("/checks").status_code == 200
    assert there.get("/checks").status_code == 303


@pytest.mark.parametrize("change", ["role", "disable", "sign-out", "remove"])
def test_what_an_admin_changes_ends_the_users_sessions(crowd, change):
    ada, otto = signed_in(crowd, "ada"), signed_in(crowd, "otto")
    data = {"csrf": csrf(ada), "role": "viewer", "confirm": "yes"}
    assert ada.post(f"/users/otto/{change}", data=data).status_code == 303
    assert otto.get("/checks").status_code == 303
    assert told(crowd, subject="otto", who="ada")


def test_the_last_admin_and_users_of_files_stay(crowd):
    with crowd.store.transaction() as unit:
        unit.users.put(User(name="frida", role="viewer", password_hash=HASH, origin="file"))
    client = crowd.client()
    for who in ("ada/remove", "ada/disable", "ada/role", "frida/remove", "frida/role"):
        data = {"csrf": csrf(client), "confirm": "yes", "role": "operator"}
        assert client.post(f"/users/{who}", data=data).status_code == 422
    assert client.patch("/api/v1/users/ada", json={"role": "viewer"}).status_code == 409


def test_parallel_guesses_pass_no_limit(crowd):
    sign_in = SignIn(crowd.store, crowd.clock)

    def guess(_number):
        try:
            return sign_in.check("otto", "wrong", "192.0.2.7")
        except TooManyTries:
            return "refused"

    with ThreadPoolExecutor(12) as threads:
        judged = [found for found in threads.map(guess, range(24)) if found is None]
    assert len(judged) == FAILURES
    assert len(told(crowd, what="sign-in.failed")) == FAILURES


def test_guesses_from_elsewhere_lock_nobody_out(crowd):
    sign_in = SignIn(crowd.store, crowd.clock)
    for _ in range(FAILURES):
        assert sign_in.check("otto", "wrong", "198.51.100.9") is None
    with pytest.raises(TooManyTries):
        sign_in.check("otto", PASSWORD, "198.51.100.9")
    assert sign_in.check("otto", PASSWORD, "192.0.2.7").name == "otto"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")


def test_what_is_typed_as_a_name_is_not_written_down_unless_it_is_one(crowd):
    SignIn(crowd.store, crowd.clock).check("my secret password", "x", "192.0.2.7")
    assert [entry.subject for entry in told(crowd, what="sign-in.failed")] == ["(no such user)"]


def test_of_six_who_would_be_the_first_user_one_is_by_a_token_that_all_processes_share(world, caplog):
    with caplog.at_level("WARNING"):
        clients = [world.client(PUBLIC, **ELSEWHERE) for _ in range(6)]
        for each in clients:
            each.app.state.opened(PUBLIC)
    [logged] = set(re.findall(r"/setup\?token=(\S+)", caplog.text))
    form = {"password": PASSWORD, "token": logged}
    forms = [form | {"name": f"u{number}", "csrf": csrf(c, "/setup")} for number, c in enumerate(clients)]
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(c.post, "/setup", data=data) for c, data in zip(clients, forms, strict=True)]
    statuses = [each.result().status_code for each in asked]
    assert sorted(statuses) == [303, 404, 404, 404, 404, 404]


@pytest.mark.parametrize(
    ("host", "on_loopback", "elsewhere"),
    [
        ("127.0.0.1:5555", True, True),
        ("localhost", True, True),
        ("owl.example:5555", True, True),
        ("10.0.0.7:5555", False, True),
        ("[2001:db8::1]:5555", False, True),
        ("nightowl:5555", False, True),
        ("evil.example", False, False),
        ("10.0.0.7.evil.example", False, False),
        ("127.0.0.1:5755@evil", False, False),
        ("127.0.0.1:5755.evil.example", False, False),
        ("owl.example:5555:5555", False, False),
        ("[::1]evil", False, False),
        ("[::1]:5555", True, True),
        ("", False, False),
    ],
)
def test_host_names_of_others_are_refused_everywhere(world, host, on_loopback, elsewhere):
    settings = replace(world.handlers.settings, allowed_hosts=("owl.example",))
    assert is_ours(host, settings) is on_loopback
    assert is_ours(host, replace(settings, is_loopback=False)) is elsewhere


def test_over_https_cookies_are_bound_to_this_host(crowd):
    for prefix, kind in (("", "__Host-"), ("/owl", "__Secure-")):
        client = crowd.client("https://owl.example", **ELSEWHERE, public_url="https://owl.example", url_prefix=prefix)
        given = client.get(f"{prefix}/login").headers["set-cookie"]
        assert given.startswith(f"{kind}nightowl_visit=")
        assert all(part in given for part in ("Secure", "HttpOnly", "SameSite=lax"))


def test_changes_are_told_with_who_and_without_secrets(world, client):
    client.put(
        "/api/v1/checks/new", json={"url": "https://x.example/?token=geheim", "headers": {"X-Api-Key": "geheim"}}
    )
    client.put("/api/v1/checks/new", json={"url": "https://x.example/", "every": "5m", "body": "geheim"})
    client.post("/api/v1/checks/new/run")
    client.delete("/api/v1/checks/new")
    client.post("/api/v1/configuration/reload")
    entries = told(world)
    assert [entry.what for entry in entries[::-1]] == [
        "check.add", "check.edit", "check.run", "check.delete", "configuration.reload",
    ]  # fmt: skip
    assert 'every: "5m"' in entries[3].detail
    assert "geheim" not in str(entries)
    assert {entry.author for entry in entries} == {Author("local", "local", "testclient")}
