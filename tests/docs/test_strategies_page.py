"""The pictures of docs/strategies.md are true: drawn anew from the real strategies they are what is there."""

import importlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "strategies.md").read_text(encoding="utf-8")
TOLD = {
    "fixed-flutter": ["8 times", "once"],
    "fixed-seasons": ["4 times", "once"],
    "fixed-counter": ["once", "once", "24 times"],
    "floating-shift": ["once", "once"],
    "floating-drift": ["never", "once"],
    "floating-spike": ["once", "2 times"],
    "period-yesterday": ["2 times", "once"],
    "period-zero": ["3 times", "once"],
    "absent": ["once", "never", "once"],
}
"""How often each rule of each picture pages, which is what the page says of it."""


@pytest.fixture(scope="module")
def drawings():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS)
        return importlib.import_module("draw_strategies").drawings()


def test_the_pictures_are_current_and_small(drawings):
    for path, drawn in drawings.items():
        assert path.read_text(encoding="utf-8") == drawn, f"{path.name}: run docs/draw_strategies.py"
        assert len(drawn) < 40_000


def test_the_page_shows_every_picture_and_says_what_is_in_it(drawings):
    shown = re.findall(r"!\[([^\]]+)\]\(images/(strategy-[a-z-]+\.svg)\)", PAGE)
    assert sorted(name for _, name in shown) == sorted(path.name for path in drawings)
    assert all(len(alternative) > 30 for alternative, _ in shown)


def test_each_rule_fires_and_fails_as_the_page_says(drawings):
    found = {}
    for path, drawn in drawings.items():
        titles = [text for text in ET.fromstring(drawn).itertext() if re.match(r"(pages|never pages)( |$)", text)]
        words = [re.sub(r"pages ?| pages", "", title) for title in titles if title != "pages"]
        found[path.stem.removeprefix("strategy-")] = words
    assert found == TOLD
