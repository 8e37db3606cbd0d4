"""How open pages learn of what changed."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from msgspec.structs import replace

from nightowl.core.values import User
from nightowl.web.app import make_app
from nightowl.web.bearer import digest
from nightowl.web.live import Board
from nightowl.web.rendering import Frame, Rendered


def frame(feed, **counts):
    return Frame(now=0.0, path="/", counts=counts, feed=feed)


def drawn(order, **fragments):
    return Rendered("", fragments, {"rows": order})


def board(*drawings):
    made = Board("/", None)
    for drawing in drawings:
        made.take(*drawing)
    return made


def test_only_what_differs_is_sent():
    made = board((drawn(["a", "b"], a="1", b="1"), frame(5)), (drawn(["a", "b"], a="2", b="1"), frame(6)))
    assert made.since(1, -1) == {"swap": {"a": "2"}, "lists": {}, "wrong": 0, "headline": "", "say": ""}


def test_relative_times_alone_are_no_change():
    one, two = ('<time datetime="x">4 min ago</time>', '<time datetime="x">5 min ago</time>')
    made = board((drawn(["a"], a=one), frame(5)), (drawn(["a"], a=two), frame(6)))
    assert made.version == 1


def test_a_new_order_is_sent_with_what_is_new_in_it():
    made = board((drawn(["a"], a="1"), frame(5)), (drawn(["b", "a"], a="1", b="1"), frame(6)))
    message = made.since(1, -1)
    assert (message["lists"], message["swap"]) == ({"rows": ["b", "a"]}, {"b": "1"})


def test_a_reader_that_was_away_gets_everything_merged():
    made = board(*((drawn(["a", "b"], a=str(number), b="1"), frame(number, down=number)) for number in range(1, 5)))
    assert made.since(0, 0)["swap"] == {"a": "4", "b": "1"}
    assert made.since(2, -1)["swap"] == {"a": "4"}
    assert made.since(2, -1)["say"] == "1 check went down; 4 checks are down now."


def test_a_page_as_new_as_the_board_gets_no_fragments():
    assert board((drawn(["a"], a="1"), frame(5))).since(0, 5)["swap"] == {}


@asynccontextmanager
async def following(app, query, *headers):
    """A browser's event stream over the application itself, for as long as the block lasts."""
    chunks, gone = asyncio.Queue(), asyncio.Event()
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "method": "GET", "path": "/live", "raw_path": b"/live",
        "root_path": "", "scheme": "http", "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:5555"), *headers],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 5555), "http_version": "1.1", "state": {},
    }  # fmt: skip

    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        await chunks.put(message)

    async with app.router.lifespan_context(app):
        stream = asyncio.create_task(app(scope, receive, send))
        try:
            yield chunks
        finally:
            gone.set()
            await stream


async def event(chunks):
    while True:
        message = await asyncio.wait_for(chunks.get(), 20)
        for line in message.get("body", b"").decode().splitlines():
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))


def test_an_open_list_learns_of_a_paused_check(world):
    with world.store.read() as unit:
        feed = unit.feed.last()

    async def scenario():
        app = make_app(world.handlers)
        async with following(app, f"page=/checks?state=up&at={feed}") as chunks:
            started = await asyncio.wait_for(chunks.get(), 20)
            assert dict(started["headers"])[b"content-type"].startswith(b"text/event-stream")
            await asyncio.wait_for(chunks.get(), 20)
            with world.store.transaction() as unit:
                check = unit.checks.get("shop-front")
                unit.checks.put(
                    type(check)(name="shop-front", origin="stored", paused=True, spec=check.spec, changed=9.0)
                )
            message = await event(chunks)
            assert "row-shop-front" not in message["lists"]["rows"]
            assert "row-shop-login" in message["lists"]["rows"]
            assert "row-shop-login" not in message["swap"]
            assert message["headline"] == "2 down, 1 own fault"

    with ThreadPoolExecutor(1) as aside:  # the tests of the browser keep a loop running in this thread
        aside.submit(asyncio.run, scenario()).result()


def test_a_stream_ends_with_the_session_that_opened_it(world):
    with world.store.transaction() as unit:
        unit.users.put(User(name="otto", role="operator", password_hash="$argon2id$none"))
        unit.users.open_session(digest("s"), "otto", world.clock.now() + 60)

    async def scenario():
        settings = replace(world.handlers.settings, is_loopback=False)
        app = make_app(replace(world.handlers, settings=settings))
        async with following(app, "page=/checks", (b"cookie", b"nightowl_session=s")) as chunks:
            await event(chunks)
            with world.store.transaction() as unit:
                unit.users.close_sessions("otto")
                unit.checks.remove("shop-front")
            while (await asyncio.wait_for(chunks.get(), 20)).get("more_body", True):
                pass

    with ThreadPoolExecutor(1) as aside:  # as above
        aside.submit(asyncio.run, scenario()).result()


def test_a_page_that_is_not_live_has_no_stream(client):
    for page in ("/add", "/nowhere", "/checks/none", "/incidents/none"):
        assert client.get("/live", params={"page": page}).status_code == 204
