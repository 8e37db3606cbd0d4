"""Sources that are slow, wrong or away: a clear fault, nothing that harms, and no secret in it."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from nightowl import plugins
from nightowl.adapters.sources import fetching
from nightowl.core.reading import Got, Need, SourceSettings

NEED = Need(name="r", metric="m", windows=((1_700_000_000.0, 1_700_000_060.0),))
KINDS = ("prometheus", "graphite", "opentsdb")
DEEP = "[" * 100_000
MATRIX = '{"status":"success","data":{"resultType":"matrix","result":%s}}'


def read(kind, url, need=NEED, *, seconds=5.0, **options) -> Got:
    settings = SourceSettings(name="s", kind=kind, url=url, **options)
    [found] = plugins.sources()[kind](settings).read([need], seconds)
    return found[""]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"null",
        b'"text"',
        b"{}",
        b"\xff\xfe\x00",
        DEEP.encode(),
        b'[{"target": 5, "datapoints": "x"}]',
        b'[{"metric": "m", "dps": {"yesterday": 5}}]',
        b'[{"metric": "m", "dps": 7}]',
        (MATRIX % '[{"metric": {"a": 5}, "values": []}]').encode(),
        (MATRIX % '[{"metric": {}, "values": [[1, "many"]]}]').encode(),
        (MATRIX % '[{"metric": {}, "values": [["1", 2, 3]]}]').encode(),
        b'{"status":"success","data":{"resultType":"vector","result":[]}}',
        b'{"status":"error","errorType":"x","error":"y"}',
    ],
)
def test_an_answer_that_is_none_is_a_fault(server, kind, body):
    server.says(body)
    assert read(kind, server.url).fault


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_told_with_their_status(server, kind):
    server.says("<html>stack trace</html>", 500)
    assert read(kind, server.url).fault == "the source answered 500"


def test_what_a_source_complains_of_is_told_without_secrets(server):
    server.says(json.dumps({"status": "error", "errorType": "bad_data", "error": "no sekrit-token here\nat 1:2"}), 400)
    fault = read("prometheus", server.url, bearer="sekrit-token", secrets=("sekrit-token",)).fault
    assert fault == "the source answered 400: bad_data: no *** here at 1:2"
    server.says(json.dumps({"error": {"code": 400, "message": "x" * 1000}}), 400)
    assert len(read("opentsdb", server.url).fault) < 250


@pytest.mark.parametrize("kind", KINDS)
def test_redirects_are_not_followed(server, kind):
    server.says("", 302)
    fault = read(kind, server.url).fault
    assert fault == "the source answered 302; redirects are not followed, so give the final address"
    assert len(server.asked) == 1


def test_one_that_hangs_is_given_up(server):
    release = threading.Event()
    server.answer = lambda _: (release.wait(10), None)[1]
    began = time.monotonic()
    assert read("prometheus", server.url, timeout=0.3).fault == "no answer within 0.3 s"
    assert read("prometheus", server.url, timeout=5.0, seconds=0.2).fault.startswith("no answer")
    assert time.monotonic() - began < 3
    release.set()


def test_one_that_hangs_is_not_asked_a_thousand_times(server):
    release = threading.Event()
    server.answer = lambda _: (release.wait(10), None)[1]
    many = Need(name="r", query="m + 0 * $id", identifiers=tuple(map(str, range(1000))), windows=NEED.windows)
    settings = SourceSettings(name="s", kind="prometheus", url=server.url, timeout=0.3)
    began = time.monotonic()
    [found] = plugins.sources()["prometheus"](settings).read([many], 9.0)
    assert time.monotonic() - began < 5
    assert {got.fault for got in found.values()} == {
        "no answer within 0.3 s",
        "not asked, as it did not answer what was asked before",
    }
    release.set()


def test_one_that_resets_the_connection_is_told(server):
    server.answer = lambda _: None
    assert "the connection" in read("prometheus", server.url).fault


def test_one_that_is_away_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://owl:sekrit-pw@127.0.0.1:{taken.getsockname()[1]}"
        assert read("graphite", url).fault == "the host does not accept the connection"
    assert read("graphite", "http://nobody.invalid").fault == "the host's name cannot be resolved"


def test_one_that_does_not_speak_http_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                peer.recv(1000)

        threading.Thread(target=answer, daemon=True).start()
        assert "the answer is not HTTP" in read("prometheus", f"http://127.0.0.1:{listening.getsockname()[1]}").fault


def test_an_answer_that_is_too_large_is_given_up(server, monkeypatch):
    monkeypatch.setattr(fetching, "LARGEST", 1024 * 1024)
    server.says(b" " * 2_000_000)
    assert read("prometheus", server.url).fault == "the answer is larger than 1 MiB"


def test_a_hundred_thousand_series_are_refused(server):
    server.says(json.dumps([{"target": f"m{n}", "datapoints": [[1, 1_700_000_030]]} for n in range(20_001)]))
    assert read("graphite", server.url).fault == "the answer has 20001 series, and may have 20000"


def test_values_that_are_no_numbers_are_missing(server):
    server.says(MATRIX % '[{"metric": {"__name__": "m"}, "values": [[1, "NaN"], [2, "+Inf"], [3, "-Inf"], [4, "5"]]}]')
    [points] = read("prometheus", server.url).series.values()
    assert (list(points.times), list(points.values)) == ([4], [5.0])


def test_credentials_and_headers_are_sent_and_connections_are_kept(server):
    server.says("[]")
    settings = SourceSettings(
        name="s", kind="graphite", url=f"{server.url}/graphite?org=1", basic="owl:pw", headers={"X-Scope-OrgID": "shop"}
    )
    source = plugins.sources()["graphite"](settings)
    source.read([NEED], 5.0)
    source.read([NEED], 5.0)
    first, second = server.asked
    assert first.headers["authorization"] == "Basic b3dsOnB3"
    assert first.headers["x-scope-orgid"] == "shop"
    assert first.path.startswith("/graphite/render?org=1&target=m&")
    assert first.connection == second.connection


def test_equal_requests_go_out_once_and_many_at_a_time(server):
    server.says(MATRIX % '[{"metric": {"__name__": "m"}, "values": [[1700000030, "5"]]}]')
    settings = SourceSettings(name="s", kind="prometheus", url=server.url)
    source = plugins.sources()["prometheus"](settings)
    found = source.read([NEED, NEED, NEED], 5.0)
    assert len(server.asked) == 1
    assert [len(each[""].series) for each in found] == [1, 1, 1]
    many = Need(name="r", query="m + 0 * $id", identifiers=tuple(map(str, range(60))), windows=NEED.windows)
    [each] = source.read([many], 10.0)
    assert len(each) == 60
    assert not any(got.fault for got in each.values())
    assert len({asked.connection for asked in server.asked}) <= fetching.IN_FLIGHT + 1
