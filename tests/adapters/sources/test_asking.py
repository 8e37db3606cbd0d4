"""How sources are asked, and how their answers read."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from nightowl import plugins
from nightowl.core.points import Points
from nightowl.core.reading import Need, SourceSettings
from nightowl.core.series import Series

T = 1_700_000_000.0
WINDOWS = ((T - 60, T),)


def asking(server, kind, **need):
    source = plugins.sources()[kind](SourceSettings(name="s", kind=kind, url=server.url))
    [found] = source.read([Need(name="r", windows=WINDOWS, **need)], 5.0)
    return found


def parameters(asked):
    """The parameters of a request, of the address or of the form."""
    text = asked.body.decode() if asked.body else urlsplit(asked.path).query
    return {name: values[0] for name, values in parse_qs(text).items()}


@pytest.mark.parametrize(
    ("where", "selector"),
    [
        ({}, '{__name__="m"}'),
        ({"a": "b"}, '{__name__="m",a="b"}'),
        ({"a": 'quo"te\\'}, '{__name__="m",a="quo\\"te\\\\"}'),
        ({"a": "web-*"}, '{__name__="m",a=~"web-.*"}'),
        ({"a": "*"}, '{__name__="m",a=~".+"}'),
        ({"a": "w?b[!0-9].x"}, '{__name__="m",a=~"w.b[^0-9]\\\\.x"}'),
    ],
)
def test_prometheus_is_asked_for_samples_as_they_were_scraped(server, where, selector):
    asking(server, "prometheus", metric="m", where=where)
    [asked] = server.asked
    assert asked.path.startswith("/api/v1/query?")
    assert parameters(asked) == {"query": f"{selector}[60000ms]", "time": f"{T:.3f}"}


def test_prometheus_evaluates_a_query_at_the_instants(server):
    asking(server, "prometheus", query="sum(rate(m[5m]))")
    [asked] = server.asked
    assert asked.path.startswith("/api/v1/query_range?")
    found = parameters(asked)
    assert (float(found["start"]), float(found["end"]), found["step"]) == (T - 50, T, "10")


def test_identifiers_are_asked_for_together_and_told_apart(server):
    rows = [{"metric": {"__name__": "m", "device": name}, "values": [[T, "1"]]} for name in ("a.b", "c|d", "other")]
    server.says(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}}))
    found = asking(server, "prometheus", metric="m", where={"device": "$id"}, identifiers=("a.b", "c|d", "e"))
    [asked] = server.asked
    assert parameters(asked)["query"] == '{__name__="m",device=~"a\\\\.b|c\\\\|d|e"}[60000ms]'
    assert {name: list(got.series) for name, got in found.items()} == {
        "a.b": [Series("m", (("device", "a.b"),))],
        "c|d": [Series("m", (("device", "c|d"),))],
        "e": [],
    }


def test_ten_thousand_identifiers_are_fifty_requests(server):
    names = tuple(f"{number:036}" for number in range(10_000))
    server.says('{"status":"success","data":{"resultType":"matrix","result":[]}}')
    found = asking(server, "prometheus", metric="m", where={"device": "$id"}, identifiers=names)
    assert len(found) == 10_000
    assert len(server.asked) == 50
    assert all(asked.body for asked in server.asked)


@pytest.mark.parametrize(
    ("query", "identifier", "asked"),
    [
        ('m{a="$id"}', 'x"} or up{b="', 'm{a="x\\"} or up{b=\\""}'),
        ("m{a='$id'}", "x\\'", "m{a='x\\\\\\''}"),
        ('m{a=~"$id"}', "x.*", 'm{a=~"x\\\\.\\\\*"}'),
        ('m{a=~"pre-$id|none"}', "a|b", 'm{a=~"pre-a\\\\|b|none"}'),
        ("m{a=`$id`}", "x\\", "m{a=`x\\`}"),
        ("job:$id:rate", "web1", "job:web1:rate"),
        ("job:$id:rate", "web1 or up", None),
        ("m{a=`$id`}", "x`", None),
    ],
)
def test_an_identifier_in_a_promql_query_stands_for_itself(server, query, identifier, asked):
    found = asking(server, "prometheus", query=query, identifiers=(identifier,))
    if asked is None:
        assert found[identifier].fault.startswith("an identifier that cannot stand")
        assert not server.asked
    else:
        assert parameters(server.asked[0])["query"] == asked


@pytest.mark.parametrize(
    ("need", "targets"),
    [
        ({"metric": "servers.*.load"}, ["servers.*.load"]),
        ({"metric": "servers.$id.load", "identifiers": ("a", "b")}, ["servers.{a,b}.load"]),
        ({"metric": "servers.$id.load", "identifiers": ("a.x", "b")}, ["servers.a.x.load", "servers.b.load"]),
        ({"metric": "m", "where": {"host": "web-*"}}, ["seriesByTag('name=m','host=~^web-.*$')"]),
        (
            {"metric": "m", "where": {"host": "$id"}, "identifiers": ("a.x", "b")},
            ["seriesByTag('name=m','host=~^(a\\.x|b)$')"],
        ),
        ({"query": "scale(servers.$id.load, 2)", "identifiers": ("a",)}, ["scale(servers.a.load, 2)"]),
    ],
)
def test_graphite_is_asked_for_targets(server, need, targets):
    asking(server, "graphite", **need)
    assert sorted(parameters(asked)["target"] for asked in server.asked) == sorted(targets)
    assert {parameters(asked)["noCache"] for asked in server.asked} == {"true"}


@pytest.mark.parametrize("identifier", ["a,b", "*", "a) or (b", 'a"', "a b", "{a}"])
def test_an_identifier_that_could_be_more_is_not_asked_of_graphite(server, identifier):
    for need in ({"metric": "servers.$id.load"}, {"query": "scale(servers.$id.load,2)"}):
        found = asking(server, "graphite", identifiers=("good", identifier), **need)
        assert found[identifier].fault
        assert not found["good"].fault
    assert all("good" in parameters(asked)["target"] for asked in server.asked)


def test_points_of_graphite_that_are_null_are_missing_and_tags_are_labels(server):
    server.says(
        json.dumps(
            [
                {"target": "m;host=a", "tags": {"name": "m", "host": "a"}, "datapoints": [[None, T - 10], [5, T]]},
                {"target": "m;host=b", "tags": {"name": "m", "host": "b"}, "datapoints": [[None, T]]},
            ]
        )
    )
    found = asking(server, "graphite", metric="m", where={"host": "*"})[""].series
    assert found == {Series("m", (("host", "a"),)): Points([T], [5.0]), Series("m", (("host", "b"),)): Points([], [])}


def test_a_target_of_graphite_that_is_no_name_is_a_label(server):
    server.says(json.dumps([{"target": "sum({a,b}, 1)", "datapoints": [[1, T]]}]))
    [series] = asking(server, "graphite", query="sumSeries(a,b)")[""].series
    assert series == Series("r", (("target", "sum({a,b}, 1)"),))


OPENTSDB = [
    {"metric": "m", "tags": {"host": "a"}, "aggregateTags": [], "dps": {str(int(T)): 1, str(int(T) - 10): 2.5}},
    {
        "metric": "m",
        "tags": {"host": "b"},
        "aggregateTags": [],
        "dps": [[int(T * 1000) - 500, 3], [int(T * 1000), None]],
    },
]
"""As http://opentsdb.net/docs/build/html/api_http/query/index.html has it: objects, arrays, milliseconds."""


def test_opentsdb_is_asked_by_filters_and_read_in_all_its_forms(server):
    server.says(json.dumps(OPENTSDB))
    found = asking(server, "opentsdb", metric="m", where={"host": "$id", "zone": "eu-*"}, identifiers=("a", "b"))
    [asked] = server.asked
    assert asked.path == "/api/query"
    assert json.loads(asked.body) == {
        "start": int(T - 60) * 1000,
        "end": int(T) * 1000,
        "msResolution": True,
        "queries": [
            {
                "aggregator": "none",
                "metric": "m",
                "filters": [
                    {"type": "literal_or", "tagk": "host", "filter": "a|b", "groupBy": True},
                    {"type": "regexp", "tagk": "zone", "filter": "^eu-.*$", "groupBy": True},
                ],
            }
        ],
    }
    assert all(got.series == {} for got in found.values()), "they have no zone"
    found = asking(server, "opentsdb", metric="m", where={"host": "$id"}, identifiers=("a", "b"))
    assert found["a"].series == {Series("m", (("host", "a"),)): Points([T - 10, T], [2.5, 1.0])}
    assert found["b"].series == {Series("m", (("host", "b"),)): Points([T - 0.5], [3.0])}


def test_opentsdb_takes_a_query_in_its_own_form(server):
    asking(server, "opentsdb", query="sum:rate:m{host=$id}", identifiers=("a",))
    [asked] = server.asked
    assert parameters(asked)["m"] == "sum:rate:m{host=a}"
    assert asking(server, "opentsdb", query="sum:m{host=$id}", identifiers=("a}{b",))["a}{b"].fault


def files(folder, **need):
    source = plugins.sources()["files"](SourceSettings(name="s", kind="files", path=str(folder)))
    return lambda: source.read([Need(name="r", windows=WINDOWS, **need)], 5.0)[0]


def test_a_folder_of_files_is_read_as_it_changes(tmp_path):
    read = files(tmp_path, metric="m", where={"host": "$id"}, identifiers=("a", "b"))
    assert read()["a"].series == {}
    (tmp_path / "one.csv").write_text(f'series,ts,value\n"m{{host=""a""}}",{T},1\n')
    assert read()["a"].series == {Series("m", (("host", "a"),)): Points([T], [1.0])}
    (tmp_path / "two.csv").write_text(f'm{{host="a"}},{T - 5},2\nm{{host="b"}},{T},3\n')
    (tmp_path / ".three.csv").write_text("not yet")
    found = read()
    assert found["a"].series == {Series("m", (("host", "a"),)): Points([T - 5, T], [2.0, 1.0])}
    assert found["b"].series == {Series("m", (("host", "b"),)): Points([T], [3.0])}
    (tmp_path / "two.csv").unlink()
    assert read()["b"].series == {}


def test_a_folder_that_is_not_there_or_holds_something_else_is_told(tmp_path):
    assert files(tmp_path / "none", metric="m")()[""].fault == "the folder cannot be read: no such file or directory"
    (tmp_path / "x.csv").write_text("this is\nnot it")
    assert files(tmp_path, metric="m")()[""].fault == "x.csv: line 1: found 'this is', allowed: series,ts,value"
