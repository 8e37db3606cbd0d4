"""The examples of docs/sources.md and of docs/plugins.md work as they stand there."""

import re
from pathlib import Path

from nightowl import plugins
from nightowl.core.points import Points
from nightowl.core.reading import Need, SourceSettings
from nightowl.core.series import Series

DOCS = Path(__file__).parents[2] / "docs"


def test_the_file_of_the_page_is_read(tmp_path):
    [rows] = re.findall(r"```text\n(series,ts,value.*?)```", (DOCS / "sources.md").read_text(), re.DOTALL)
    (tmp_path / "orders.csv").write_text(rows)
    source = plugins.sources()["files"](SourceSettings(name="batch", kind="files", path=str(tmp_path)))
    at = 1795917600.0
    [found] = source.read([Need(name="exported", metric="orders_exported", windows=((at - 60, at),))], 1.0)
    assert found[""].series == {Series("orders_exported", (("shop", "eu"),)): Points([at], [412.0])}


def test_the_source_of_the_page_answers():
    [code] = re.findall(r"```text\n(\"\"\"The load.*?)```", (DOCS / "plugins.md").read_text(), re.DOTALL)
    made = {}
    exec(code, made)
    source = made["source"](SourceSettings(name="load", kind="load"))
    [found] = source.read([Need(name="busy", metric="load1", windows=((0.0, 60.0),))], 1.0)
    [points] = found[""].series.values()
    assert list(points.times) == [60.0]


def test_every_kind_and_figure_is_on_the_page():
    page = (DOCS / "sources.md").read_text()
    figures = re.findall(r"`(nightowl_evaluate_\w+)`", page)
    assert all(f"`{kind}`" in page for kind in plugins.sources())
    assert len(set(figures)) == 5
