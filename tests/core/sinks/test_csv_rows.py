from __future__ import annotations

import csv
from io import StringIO
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sample_rows import gathered
from nightowl.core.series import Series, labels
from nightowl.core.sinks.rows import HEAD, file_name, rows
from nightowl.core.values import Sample

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.dictionaries(st.sampled_from(["check", "name"]), TEXT), st.floats(allow_nan=False, allow_infinity=False))
def test_rows_are_read_back_as_what_they_were_made_of(pairs, value) -> None:
    made = "".join(rows([Sample("check_up", labels(pairs.items()), 1_700_000_000.25, value)], "owl_"))
    found = gathered("x.csv", csv.reader(StringIO(HEAD + made, newline="")))
    [(series, points)] = found.items()
    assert series == Series("owl_check_up", labels(pairs.items()))
    assert (list(points.times), list(points.values)) == ([1_700_000_000.25], [value])


def test_what_is_no_number_has_no_row() -> None:
    assert list(rows([Sample("x", (), 1.0, nan), Sample("x", (), 1.0, inf)])) == []


def test_names_of_files_sort_as_times_do() -> None:
    names = [file_name("s", at) for at in (1.0, 999_999_999.0, 1_700_000_000.0, 1_700_000_000.5)]
    assert names == sorted(names)
    assert names[-1] == "s-20231114T221320.500Z.csv"
