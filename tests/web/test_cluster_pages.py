"""Pages and API of watched clusters."""

import html
import re

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.task import Task
from nightowl.core.values import Change, Incident, Severity

PAGES = [
    "",
    "/workers",
    "/workers/celery@web-1",
    "/workers/images@web%2F2",
    "/queues",
    "/queues/images",
    "/tasks",
    "/tasks/retry-id",
    "/tasks/11111111-1111-4111-8111-111111111111",
    "/workflows/flow-root",
    "/failures",
    "/beat",
    "/visibility",
]


@pytest.mark.parametrize("end", PAGES)
@pytest.mark.parametrize("cluster", ["shop", "warehouse"])
def test_every_page_of_a_cluster_is_there_also_as_data_and_executes_nothing(watched, cluster, end):
    client = watched.client()
    answer = client.get(f"/clusters/{cluster}{end}")
    if cluster == "warehouse" and ("/workers/" in end or "/queues/" in end or "/tasks/" in end or "/workflows" in end):
        assert answer.status_code == 404
        return
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    data = client.get(f"/clusters/{cluster}{end}.json").json()
    assert data["head"]["name"] == cluster


def test_a_workflow_is_found_by_any_of_its_tasks(watched):
    client = watched.client()
    whole = client.get("/clusters/shop/workflows/flow-root.json").json()
    assert client.get("/clusters/shop/workflows/flow-end.json").json()["workflow"] == whole["workflow"]
    assert len(client.get("/api/v1/clusters/shop/workflows/flow-end").json()) == 5


def test_a_task_that_is_not_there_yet_is_looked_for_again_for_a_while(watched):
    client = watched.client()
    page = client.get("/clusters/shop/tasks/fresh")
    assert (page.status_code, page.headers["refresh"]) == (404, "1; url=?look=1")
    assert "Not seen yet" in page.text
    assert "refresh" in client.get("/clusters/shop/tasks/fresh?look=6").headers
    for end in ("fresh?look=7", "fresh?look=x", "fresh?look=99999"):
        page = client.get(f"/clusters/shop/tasks/{end}")
        assert (page.status_code, "refresh" in page.headers, "or it is forgotten" in page.text) == (404, False, True)
    assert client.get("/clusters/shop/tasks/fresh.json").status_code == 404
    watched.clock.time += 60
    assert "refresh" not in client.get("/clusters/shop/tasks/fresh").headers


def test_a_name_that_would_be_a_script_is_shown_as_what_it_is(watched):
    page = watched.client().get("/clusters/shop/tasks").text
    assert "order &lt;script&gt;alert(1)&lt;/script&gt; &amp; 50% \u2713/7" in page


def test_clusters_are_listed_with_how_they_are(watched):
    page = watched.client().get("/clusters").text
    assert "2 workers up, 1 silent, 1,211 messages waiting in 2 queues." in page
    assert "Nobody has watched it yet" in page


def test_a_state_that_is_old_says_so(watched):
    watched.clock.time += 60
    assert "Its watcher is not heard" in watched.client().get("/clusters/shop").text


def found(watched, subject, severity, kind="cluster"):
    """Let an incident be open for ten minutes."""
    opened = watched.clock.time - 600
    incident = Incident(
        id=f"of-{subject.replace('/', '-')}",
        kind=kind,
        subject=subject,
        severity=severity,
        summary=f"{subject} <b>",
        opened=opened,
    )
    with watched.store.transaction() as unit:
        unit.incidents.apply([Change(event="opened", incident=incident, at=opened, text=incident.summary)])


def test_open_incidents_of_a_cluster_stand_in_the_head_of_each_page_and_in_its_overview(watched):
    found(watched, "shop/unconsumed/reports", Severity.CRITICAL)
    found(watched, "shop/failures/shop.charge", Severity.WARNING)
    found(watched, "cluster/shop", Severity.CRITICAL, kind="own")
    found(watched, "shop-2/unconsumed/reports", Severity.CRITICAL)
    client = watched.client()
    counted = [{"severity": "critical", "count": 2}, {"severity": "warning", "count": 1}]
    for end in PAGES:
        page, data = (client.get(f"/clusters/shop{end}{kind}") for kind in ("", ".json"))
        assert 'href="/clusters/shop#incidents"><span class="severity critical">2 critical</span>' in page.text, end
        assert data.json()["head"]["incidents"] == counted
    overview = client.get("/clusters/shop").text
    assert '<a href="/incidents/of-shop-unconsumed-reports">Shop/unconsumed/reports &lt;b&gt;' in overview
    assert 'id="incidents"' in overview
    assert "shop-2" not in overview
    assert '<span class="severity warning">1 warning</span>' in client.get("/clusters").text


def test_the_api_tells_of_the_open_incidents_of_a_cluster(watched):
    found(watched, "warehouse/stuck/pack", Severity.INFO)
    found(watched, "shop/unconsumed/reports", Severity.CRITICAL)
    client = watched.client()
    assert {each["name"]: each["open"] for each in client.get("/api/v1/clusters").json()} == {
        "shop": {"critical": 1},
        "warehouse": {"info": 1},
    }
    shop = client.get("/api/v1/clusters/shop").json()
    assert [each["subject"] for each in shop["incidents"]] == ["shop/unconsumed/reports"]


def test_a_cluster_with_a_critical_incident_is_not_up(watched):
    state = watched.tasks.state("shop")
    up = replace(state, workers=tuple(each for each in state.workers if each.up))
    watched.tasks.write("shop", [], state=up)
    client = watched.client()
    assert client.get("/api/v1/clusters/shop").json()["state"] == "up"
    found(watched, "shop/unconsumed/reports", Severity.CRITICAL)
    assert client.get("/api/v1/clusters/shop").json()["state"] == "degraded"
    assert client.get("/clusters/shop.json").json()["head"]["word"] == "degraded"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=FAILURE", {"22222222-2222-4222-8222-222222222222", "flow-part-1"}),
        ("state=failure&queue=celery&name=shop.charge", {"22222222-2222-4222-8222-222222222222"}),
        ("state=failure&name=CHARGE", {"22222222-2222-4222-8222-222222222222"}),
        ("state=failure&name=shop.r*", {"flow-part-1"}),
        ("name=charges", set()),
        ("text=funds", {"22222222-2222-4222-8222-222222222222"}),
        ("worker=images@web/2&state=LOST", {"lost-id"}),
        ("exception=shop.errors.CardDeclined", {"22222222-2222-4222-8222-222222222222"}),
        ("name=nothing", set()),
    ],
)
def test_tasks_are_found_by_what_the_address_says(watched, query, expected):
    client = watched.client()
    assert {row["uuid"] for row in client.get(f"/clusters/shop/tasks.json?{query}").json()["rows"]} == expected
    if "=failure" not in query:  # the API takes states as Celery writes them
        found = client.get(f"/api/v1/clusters/shop/tasks?{query}").json()["tasks"]
        assert {row["uuid"] for row in found} == expected


@pytest.mark.parametrize("query", ["state=bogus", "from=never", "after=nonsense", "sort=args", "sort=name&after=1"])
def test_what_cannot_be_asked_is_refused(watched, query):
    client = watched.client()
    for path in ("/clusters/shop/tasks", "/clusters/shop/tasks.json", "/api/v1/clusters/shop/tasks"):
        assert client.get(f"{path}?{query}").status_code == 422


def test_pages_of_tasks_follow_one_another_without_a_gap(watched):
    base = watched.clock.time
    many = [
        Task(uuid=f"many-{n}", name="shop.many", state="SUCCESS", updated=base + n, seen=base + n) for n in range(120)
    ]
    watched.tasks.write("shop", many)
    client, after, seen = watched.client(), "", []
    while after is not None:
        data = client.get("/clusters/shop/tasks.json", params={"name": "shop.many", "after": after}).json()
        seen += [row["uuid"] for row in data["rows"]]
        after = data["after"]
    assert seen == [f"many-{n}" for n in reversed(range(120))]


def test_tasks_are_sorted_by_what_the_address_says(watched):
    base = watched.clock.time
    runs = {"quick": 0.5, "slow": 9.0, "open": None, "usual": 2.0}
    watched.tasks.write(
        "shop",
        [
            Task(uuid=f"{name}-{n}", name="shop.many", runtime=runtime, updated=base, seen=base + n)
            for n in range(20)
            for name, runtime in runs.items()
        ],
    )
    client = watched.client()
    expected = [f"{name}-{n}" for name in ("slow", "usual", "quick", "open") for n in reversed(range(20))]
    for path, rows in (("/clusters/shop/tasks.json", "rows"), ("/api/v1/clusters/shop/tasks", "tasks")):
        after, seen = None, []
        while after or not seen:
            asked = {"name": "shop.many", "sort": "-runtime", "limit": 30} | ({"after": after} if after else {})
            data = client.get(path, params=asked).json()
            seen += [row["uuid"] for row in data[rows]]
            after = data["after"]
        assert seen == expected
    page = client.get("/clusters/shop/tasks?name=shop.many&sort=-runtime").text
    assert '<option value="-runtime" selected>Slowest first</option>' in page
    assert re.search(r'rel="next" href="\?[^"]*sort=-runtime', page)


def test_the_api_finds_what_failed_at_a_place(watched):
    found = watched.client().get("/api/v1/clusters/shop/tasks", params={"place": "shop/tasks.py:31 in charge"}).json()
    assert "22222222-2222-4222-8222-222222222222" in {task["uuid"] for task in found["tasks"]}
    assert {task["place"] for task in found["tasks"]} == {"shop/tasks.py:31 in charge"}


def test_the_api_tells_what_the_pages_show(watched):
    client = watched.client()
    assert [each["state"] for each in client.get("/api/v1/clusters").json()] == ["degraded", "unknown"]
    one = client.get("/api/v1/clusters/shop").json()
    assert one["broker"]["version"] == "7.0.15"
    assert one["events"] == 51_200
    worker = client.get("/api/v1/clusters/shop/workers/celery@web-1").json()
    assert worker["totals"] == {"shop.charge": 12000, "shop.send_receipt": 6214}
    assert client.get("/api/v1/clusters/shop/workers/images@web%2F2").json()["skew"] == pytest.approx(3541.2)
    assert client.get("/api/v1/clusters/shop/queues").json()[0]["name"] == "celery"
    task = client.get("/api/v1/clusters/shop/tasks/22222222-2222-4222-8222-222222222222").json()
    assert task["place"] == "shop/tasks.py:31 in charge"
    assert len(client.get("/api/v1/clusters/shop/workflows/flow-root").json()) == 5
    assert client.get("/api/v1/clusters/shop/failures").json()[0]["count"] == 1
    assert client.get("/api/v1/clusters/shop/gaps").json()[0]["reason"] == "the broker went away"
    assert "shop.publish" in client.get("/api/v1/clusters/shop/names").json()
    for path in ("/api/v1/clusters/none", "/api/v1/clusters/shop/workers/none", "/api/v1/clusters/shop/tasks/none"):
        assert client.get(path).status_code == 404


def test_the_api_knows_the_states_of_tasks(watched):
    client = watched.client()
    assert {each["state"] for each in client.get("/api/v1/clusters/shop/tasks?state=FAILURE").json()["tasks"]} == {
        "FAILURE"
    }
    answer = client.get("/api/v1/clusters/shop/tasks?state=NOPE")
    assert answer.status_code == 422
    (mistake,) = answer.json()["mistakes"]
    assert "NOPE" in mistake["found"]
    assert '"FAILURE"' in mistake["allowed"]


def test_a_task_that_runs_is_nothing_to_worry_about(watched):
    page = watched.client().get("/clusters/shop/tasks/started-id").text
    assert 'class="state running" title="STARTED"' in page


def test_the_tasks_of_a_worker_do_not_repeat_its_name(watched):
    page = watched.client().get("/clusters/shop/workers/celery@web-1").text
    assert 'data-label="queue"' in page
    assert 'data-label="worker"' not in page


def test_a_task_that_was_only_sent_is_pending(watched):
    watched.tasks.write("shop", [Task(uuid="fresh", name="shop.charge", sent=1.0, seen=1.0, updated=1.0)])
    assert watched.client().get("/api/v1/clusters/shop/tasks/fresh").json()["state"] == "PENDING"


def test_the_age_of_the_oldest_message_has_a_chart_where_it_is_known(watched):
    client = watched.client()
    (line,) = client.get("/clusters/shop/queues/images.json").json()["age"]["lines"]
    ages = [value for _, value in line["points"] if value is not None]
    assert ages == sorted(ages)
    assert ages[-1] == 2.0 * 119
    assert "Age of the oldest" in client.get("/clusters/shop/queues/images").text
    assert client.get("/clusters/shop/queues/celery.json").json()["age"]["lines"] == []
    assert "Age of the oldest" not in client.get("/clusters/shop/queues/celery").text


def test_a_broker_that_knows_the_consumers_of_a_queue_is_believed(watched):
    assert "Consumers" not in watched.client().get("/clusters/shop/queues/images").text
    known = watched.tasks.state("shop")
    queues = tuple(replace(queue, consumers=3) for queue in known.queues)
    watched.tasks.write("shop", [], state=replace(known, queues=queues))
    assert "<dt>Consumers</dt><dd>3</dd>" in watched.client().get("/clusters/shop/queues/images").text


def test_that_no_gap_is_known_is_no_promise_that_nothing_was_lost(watched):
    watched.clock.time += 8 * 86400.0
    page = watched.client().get("/clusters/shop/visibility").text
    assert "the broker went away" not in page
    assert "No gap is known." in page


def test_a_gap_of_which_the_loss_is_known_says_how_much(watched):
    now = watched.clock.time
    watched.tasks.write("shop", [], gaps=[Gap(now - 30, now - 20, "Redis dropped the watcher", 1234)])
    page = watched.client().get("/clusters/shop/visibility").text
    assert "Redis dropped the watcher" in page
    assert "1,234" in page


ODD = ["line\nend", "bell\x07", "caf\u00e9 \u0085", ".", "a/../b", "images.json", "a?b#c", "100%", "a//b/"]


def test_no_link_of_a_cluster_leads_nowhere_whatever_its_parts_are_called(watched):
    state = watched.tasks.state("shop")
    worker, queue = state.workers[0], state.queues[0]
    odd = replace(
        state,
        workers=(*state.workers, *(replace(worker, name=name, queues=tuple(ODD)) for name in ODD)),
        queues=(*state.queues, *(replace(queue, name=name) for name in ODD)),
    )
    ends = {"state": "FAILURE", "failed": state.at, "exception": "E", "place": "p", "worker": ODD[0], "queue": ODD[1]}
    tasks = [Task(uuid=name, name=f"shop.odd{number}", seen=state.at, **ends) for number, name in enumerate(ODD)]
    watched.tasks.write("shop", tasks, state=odd)
    client = watched.client()
    pages = ["", "/workers", "/queues", "/tasks", "/failures", "/workers/100%25", "/queues/celery", "/tasks/100%25"]
    links: set[str] = set()
    for page in pages:
        answer = client.get(f"/clusters/shop{page}")
        assert answer.status_code == 200, page
        links |= {html.unescape(link) for link in re.findall(r'href="(/clusters/shop/[^"]+)"', answer.text)}
    assert {"/clusters/shop/queues/a%3Fb%23c", "/clusters/shop/workers/100%25"} <= links
    assert {link: status for link in links if (status := client.get(link).status_code) != 200} == {}
    assert "line\\x0aend</span>" in client.get("/clusters/shop/queues").text
