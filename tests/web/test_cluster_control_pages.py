"""Buttons and forms of clusters' pages, without JavaScript: who sees them, what they ask, and what comes back."""

import html
import re
import secrets
from itertools import product

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.command import Command
from nightowl.core.values import User
from nightowl.web import cookies, forgery
from nightowl.web.bearer import digest
from tests.flows.cluster_parts import Results

FAILED = "22222222-2222-4222-8222-222222222222"
DONE = "11111111-1111-4111-8111-111111111111"
WITH_CONTROL = ("/workers/celery@web-1", "/tasks/started-id", "/tasks", "/queues/images", "/beat", "/send")


class Browser:
    """A browser that knows one cluster, submits its forms, and goes on from the page that came back."""

    def __init__(self, world, role="admin"):
        self.client = world.client(
            "http://owl.example", is_loopback=False, listen_host="0.0.0.0", allowed_hosts=("owl.example",)
        )
        session = secrets.token_hex(8)
        with world.store.transaction() as unit:
            unit.users.put(User(name=role, role=role, password_hash="$argon2id$none"))
            unit.users.open_session(digest(session), role, world.clock.now() + 60)
        self.headers = {"cookie": f"{cookies.SESSION}={session}; {cookies.VISIT}=visit"}
        self.csrf = forgery.token(b"k" * 32, "visit", session)
        self.page = ""

    def get(self, path):
        answer = self.client.get(f"/clusters/shop{path}", headers=self.headers)
        self.page = answer.text
        return answer

    def post(self, path, **fields):
        data = {"csrf": self.csrf, **fields}
        answer = self.client.post(f"/clusters/shop{path}", data=data, headers=self.headers)
        self.page = answer.text
        return answer

    def confirm(self):
        """Press the button of the page that asks whether that is meant."""
        action = re.search(r'<form method="post" action="/clusters/shop([^"]*)">', self.page)[1]
        form = self.page[self.page.index('class="card deed"') :]
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form))
        fields = {key: html.unescape(value) for key, value in fields.items()}
        return self.post(action, **{key: value for key, value in fields.items() if key != "csrf"})


@pytest.fixture
def admin(watched):
    return Browser(watched)


def test_only_who_may_sees_buttons(watched):
    browsers = {role: Browser(watched, role) for role in ("viewer", "operator", "admin")}
    for role, path in product(browsers, WITH_CONTROL):
        page = browsers[role].get(path).text
        form = re.search(r'action="/clusters/shop[^"]*/(commands|revoke|retry|purge|run|send)"', page)
        assert bool(form) == (role in (("admin",) if path == "/queues/images" else ("operator", "admin"))), path
        assert ("Shut down" in page) == (role == "admin" and "/workers/" in path)


def test_where_control_is_off_nobody_does(watched):
    watched.clusters["shop"] = replace(watched.clusters["shop"], control=False)
    browser = Browser(watched)
    for path in WITH_CONTROL:
        assert 'method="post" action="/clusters' not in browser.get(path).text


def test_a_worker_is_asked_and_its_answer_is_shown(watched, admin):
    watched.answers["pool_grow"] = "pool will <b>grow</b>"
    answer = admin.post("/commands", command="pool_grow", worker="celery@web-1", n="2")
    assert answer.status_code == 200
    assert "celery@web-1 was asked to grow the pool by 2." in answer.text
    assert "pool will &lt;b&gt;grow&lt;/b&gt;" in answer.text
    assert 'href="/clusters/shop/workers/celery%40web-1"' in answer.text
    assert watched.fleet.asked == [Command(name="pool_grow", arguments={"n": 2}, workers=("celery@web-1",))]


def test_the_fields_of_a_form_are_the_arguments_of_its_command(watched, admin):
    admin.post("/commands", command="time_limit", worker="celery@web-1", task="shop.charge", soft="5", hard="")
    admin.post("/commands", command="rate_limit", worker="celery@web-1", task="shop.charge", rate="7/m")
    admin.post("/commands", command="add_consumer", worker="celery@web-1", queue="a & b/<c>")
    admin.post("/commands", command="autoscale", worker="celery@web-1", min="1", max="4")
    assert [command.arguments for command in watched.fleet.asked] == [
        {"task_name": "shop.charge", "soft": 5.0},
        {"task_name": "shop.charge", "rate_limit": "7/m"},
        {"queue": "a & b/<c>"},
        {"min": 1, "max": 4},
    ]


def test_a_worker_that_sends_no_events_can_be_told_to(watched, admin):
    assert "Let it send events" in admin.get("/workers/celery@web-1").text
    admin.post("/commands", command="enable_events", worker="celery@web-1")
    assert watched.fleet.asked == [Command(name="enable_events", workers=("celery@web-1",))]
    known = watched.tasks.state("shop")
    sending = tuple(replace(worker, events_on=True) for worker in known.workers)
    watched.tasks.write("shop", [], state=replace(known, workers=sending))
    assert "Let it send events" not in admin.get("/workers/celery@web-1").text


def test_what_loses_work_is_asked_about_first(watched, admin):
    answer = admin.post("/commands", command="shutdown", worker="celery@web-1")
    assert answer.status_code == 200
    assert "Shut down." in answer.text
    assert "Nothing has been done yet" in answer.text
    assert watched.fleet.asked == []
    assert "celery@web-1 was asked to shut down." in admin.confirm().text
    assert watched.fleet.asked == [Command(name="shutdown", workers=("celery@web-1",))]


def test_names_survive_the_question(watched, admin):
    admin.post("/commands", command="cancel_consumer", worker="images@web/2", queue='a & b/"<c>')
    assert "was asked to no longer consume the queue a &amp; b/&#34;&lt;c&gt;." in admin.confirm().text
    assert watched.fleet.asked[0].arguments == {"queue": 'a & b/"<c>'}


REFUSALS = [
    ("admin", "/commands", {"command": "pool_grow", "n": "many"}, 422, "a whole number from 1 to 1000"),
    ("admin", "/commands", {"command": "explode"}, 404, "no command named explode"),
    ("operator", "/commands", {"command": "shutdown"}, 403, "takes the role admin"),
    ("operator", "/queues/images/purge", {}, 403, "takes the role admin"),
    ("admin", f"/tasks/{FAILED}/retry", {}, 409, "not known"),
    ("admin", "/tasks/none/retry", {}, 404, "no task with the id none"),
    ("admin", "/tasks/started-id/abort", {}, 409, "set backend"),
    ("admin", "/tasks/revoke", {"state": "SUCCESS"}, 409, "No such task can be in the state SUCCESS"),
    ("admin", "/beat/none/run", {}, 404, "no beat entry named none"),
]


def test_what_cannot_be_done_is_said_on_a_page_of_the_cluster(watched):
    browsers = {role: Browser(watched, role) for role in ("operator", "admin")}
    for role, path, fields, status, said in REFUSALS:
        answer = browsers[role].post(path, **fields)
        assert (answer.status_code, said in answer.text, "Not done" in answer.text) == (status, True, True), path
    assert watched.fleet.asked == []


def test_a_broker_that_is_away_is_said(watched, admin):
    watched.fleet.away = True
    answer = admin.post("/commands", command="ping", worker="celery@web-1")
    assert (answer.status_code, "The broker does not answer" in answer.text) == (503, True)
    for page in ("/in-workers", "/settings"):
        assert "The broker does not answer" in admin.get(page).text


def test_a_task_is_revoked_ended_and_asked_to_end(watched, admin):
    watched.results = Results()
    watched.clusters["shop"] = replace(watched.clusters["shop"], backend="redis://")
    page = admin.get("/tasks/started-id").text
    assert "Ask it to end" in page
    assert "asked to leave it out" in admin.post("/tasks/started-id/revoke").text
    admin.post("/tasks/started-id/revoke", terminate="yes", signal="SIGKILL")
    assert "end it with SIGKILL" in admin.page
    admin.confirm()
    assert admin.post("/tasks/started-id/abort").status_code == 200
    assert watched.results.aborted == ["started-id"]
    assert [command.arguments for command in watched.fleet.asked] == [
        {"task_id": ["started-id"]},
        {"task_id": ["started-id"], "terminate": True, "signal": "SIGKILL"},
    ]


def test_a_task_is_sent_again_or_its_page_says_why_not(watched, admin):
    page = admin.get(f"/tasks/{FAILED}").text
    assert "cannot be sent again" in page
    assert "/retry" not in page
    page = admin.get(f"/tasks/{DONE}").text
    assert "Its kwargs are redacted: arguments = &#34;full&#34; in [cluster.shop] keeps" in page
    done = watched.tasks.get("shop", [DONE])[DONE]
    watched.tasks.write("shop", [replace(done, kwargs="{}")])
    assert f'action="/clusters/shop/tasks/{DONE}/retry"' in admin.get(f"/tasks/{DONE}").text
    answer = admin.post(f"/tasks/{DONE}/retry")
    assert 'href="/clusters/shop/tasks/new-1"' in answer.text
    assert watched.fleet.sent == [("shop.charge", [42], {}, {"queue": "celery"})]


def test_all_of_a_filter_are_counted_then_done(watched, admin):
    page = admin.get("/tasks?queue=images&state=STARTED").text
    assert '<input type="hidden" name="queue" value="images">' in page
    admin.post("/tasks/revoke", queue="images")
    assert "Revoke 4 tasks." in admin.page
    assert watched.fleet.asked == []
    assert "told to leave out 4 tasks" in admin.confirm().text
    assert len(watched.fleet.asked[0].arguments["task_id"]) == 4
    for name in ("charge", "shop.charge"):
        admin.post("/tasks/retry", name=name)
        assert "Send 1 task again" in admin.page
    assert "1 task left out: Its kwargs are not known" in admin.confirm().text
    assert "nothing to do" in admin.post("/tasks/retry", name="nobody").text


def test_a_queue_is_emptied_after_its_count_was_shown(watched, admin):
    watched.ready["images"] = 1204
    admin.post("/queues/images/purge")
    assert "Delete what waits in the queue images: 1204 messages." in admin.page
    assert watched.fleet.purged == []
    assert "7 messages of images deleted." in admin.confirm().text
    assert watched.fleet.purged == ["images"]


def test_one_message_is_one(watched, admin):
    watched.ready["images"] = 1
    admin.post("/queues/images/purge")
    assert "Delete what waits in the queue images: 1 message." in admin.page


def worker(watched, **changed):
    """Let the watcher have seen another worker."""
    state = watched.tasks.state("shop")
    first, *others = state.workers
    watched.tasks.write("shop", [], state=replace(state, workers=(replace(first, **changed), *others)))


@pytest.mark.parametrize(("restarts", "offered"), [(True, True), (None, True), (False, False)])
def test_a_pool_that_cannot_be_restarted_says_what_mends_that(watched, admin, restarts, offered):
    worker(watched, pool_restarts=restarts)
    page = admin.get("/workers/celery@web-1").text
    assert ("Restart the pool" in page, "worker_pool_restarts = True" in page) == (offered, not offered)


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"up": True}, ""), ({"up": False}, "It is silent"), ({"up": False, "goodbye": True}, "It was stopped")],
)
def test_a_worker_that_is_away_cannot_be_told_anything_and_the_page_says_why(watched, admin, changed, why):
    worker(watched, **changed)
    page = admin.get("/workers/celery@web-1").text
    assert ('<fieldset class="deeds" disabled>' in page) == bool(why)
    assert (f"{why}, so it would not hear what it is told." in page) == bool(why)


def test_a_beat_entry_is_run_now(watched, admin):
    answer = admin.post("/beat/nightly/run")
    assert "nightly was sent now" in answer.text
    assert watched.fleet.sent[0][0] == "shop.report"


def test_a_task_is_sent_from_a_form(watched, admin):
    page = admin.get("/send?task=shop.charge&queue=mail").text
    assert '<input id="task" name="task" value="shop.charge"' in page
    assert '<option value="shop.publish">' in page
    fields = {
        "task": "shop.charge",
        "args": '[42, "<b>"]',
        "kwargs": '{"amount": 1.5}',
        "queue": "r&d",
        "countdown": "5",
    }
    assert "shop.charge was sent." in admin.post("/send", **fields, expires="").text
    task, args, kwargs, options = watched.fleet.sent[0]
    assert (task, args, kwargs) == ("shop.charge", [42, "<b>"], {"amount": 1.5})
    assert options == {"queue": "r&d", "countdown": 5.0}
    admin.post("/send", task="shop.publish", args="", kwargs=" ")
    assert watched.fleet.sent[1] == ("shop.publish", [], {}, {})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"task": ""}, "a name of 1 to 255 bytes"),
        ({"task": "shop.charge", "args": "42"}, "a list as JSON"),
        ({"task": "shop.charge", "args": "[" * 100_000}, "a list as JSON"),
        ({"task": "shop.charge", "kwargs": "{order: 42}"}, "an object as JSON"),
        ({"task": "shop.charge", "countdown": "soon"}, "seconds above 0"),
    ],
)
def test_what_cannot_be_sent_is_said_on_a_page(watched, admin, fields, said):
    answer = admin.post("/send", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert watched.fleet.sent == []


def test_what_workers_hold_is_asked_when_the_page_is(watched, admin):
    task = {"id": "started-id", "name": "shop.resize", "kwargs": {"password": "hunter22"}, "time_start": 1.0}
    watched.answers["active"] = [task]
    watched.answers["revoked"] = ["lost-id", "<b>unknown</b>"]
    page = admin.get("/in-workers").text
    assert "shop.resize" in page
    assert "hunter22" not in page
    page = admin.get("/in-workers?of=revoked").text
    assert "&lt;b&gt;unknown&lt;/b&gt;" in page
    assert "shop.resize" in page  # its name is known of its events
    assert [command.name for command in watched.fleet.asked] == ["active", "revoked"]
    watched.fleet.workers.remove("images@web/2")
    assert "said nothing in time" in admin.get("/in-workers?of=reserved").text
    rows = admin.client.get("/clusters/shop/in-workers.json", headers=admin.headers).json()["rows"]
    assert rows[0]["uuid"] == "started-id"


def test_when_tasks_in_workers_are_due_is_told_in_utc(watched, admin):
    watched.answers["scheduled"] = [
        {"eta": "2025-11-20T23:00:00+03:00", "request": {"id": "later", "name": "shop.later"}}
    ]
    page = admin.get("/in-workers?of=scheduled").text
    assert '<time datetime="2025-11-20T20:00:00Z"' in page
    assert "20:00:00 UTC</time>" in page


def test_many_tasks_in_workers_are_bounded(watched, admin):
    watched.answers["reserved"] = [{"id": str(n), "name": "shop.many"} for n in range(400)]
    page = admin.get("/in-workers?of=reserved").text
    assert "And 300 more." in page


def test_the_settings_of_a_worker_hide_secrets(watched, admin):
    watched.answers["conf"] = {
        "broker_url": "redis://:hunter22@redis/0",
        "api_token": "hunter22",
        "task_acks_late": True,
    }
    page = admin.get("/settings?worker=celery@web-1").text
    assert "task_acks_late" in page
    assert "hunter22" not in page
    assert "task_acks_late" not in admin.get("/settings?worker=celery@web-1&text=broker").text
    admin.get("/settings?worker=celery@web-1&defaults=1")
    assert watched.fleet.asked[-1] == Command(name="conf", arguments={"with_defaults": True}, workers=("celery@web-1",))
    assert "No worker called none is up" in admin.get("/settings?worker=none").text
    assert "No setting matches" in admin.get("/settings?text=nothing").text


def test_workers_are_not_asked_for_viewers(watched):
    browser = Browser(watched, "viewer")
    for page in ("in-workers", "settings"):
        assert browser.get(f"/{page}").status_code == 403
        assert page not in browser.get("/workers").text
    assert watched.fleet.asked == []


def test_a_form_without_its_token_does_nothing(watched, admin):
    admin.csrf = "forged"
    for path in ("/commands", "/tasks/revoke", "/queues/images/purge", "/beat/nightly/run"):
        assert admin.post(path, command="shutdown", confirm="yes", confirmed="9").status_code == 403
    assert watched.fleet.asked == watched.fleet.sent == watched.fleet.purged == []
