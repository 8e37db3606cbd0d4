"""What JSONPaths find, and the bounds of finding it."""

import pytest

from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.jsonpath import MAX_DEPTH, MAX_VISITS, Document

SHOP = '{"items": [{"name": "owl", "price": 3}, {"name": "fowl", "price": 5}], "open": true}'
DEEP = "[1,2," * 99 + "1" + "]" * 99


def failure_of(text, path):
    with pytest.raises(Failure) as caught:
        list(Document(text).at(path))
    return caught.value


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.open", [True]),
        ("$.items[-1].name", ["fowl"]),
        ("$.items[:1].price", [3]),
        ("$..price", [3, 5]),
        ("$.items[?@.price > 4].name", ["fowl"]),
        ("$.items[?search(@.name, 'ow')].price", [3, 5]),
        ("$.items[?match(@.name, 'o.l')].price", [3]),
        ("$.items[?match(@.name, '[.]ow[l.]')].price", []),
        ("$.items[?match(@.price, '3')]", []),
        ("$.items[?match(@.name, '(')]", []),
        ("$.items[?length(@.name) == 3].price", [3]),
        ("$.missing", []),
    ],
)
def test_a_path_leads_to_values(path, values):
    assert list(Document(SHOP).at(path)) == values


@pytest.mark.parametrize("path", ["$..*..*..*", "$..*..*..x", "$..*[?count($..*..*) > 1]", "$..[0:]..[0:]..[0:]"])
def test_a_path_that_visits_too_much_of_a_document_is_given_up(path):
    failure = failure_of(DEEP, path)

    assert (failure.reason, str(MAX_VISITS) in failure.detail) == ("assert.json", True)


@pytest.mark.parametrize("path", ["$[?search(@, '(a+)+$')]", "$[?match(@, '(a|a)*')]", "$[?search(@, $[0])]"])
def test_patterns_that_take_too_long_are_given_up(path):
    assert "took longer" in failure_of('["(a+)+$", "' + "a" * 5000 + 'b"]', path).detail


def test_each_path_has_the_whole_allowance():
    document = Document("[" + "1," * (MAX_VISITS - 10) + "1]")

    for _ in range(3):
        assert next(document.at("$[*]")) == 1


def test_a_document_may_be_nested_as_deep_as_the_bound_says():
    assert Document("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert failure_of("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "$").reason == "decode.json"
