"""What people read on the page of a task, without its tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser


@dataclass
class TaskPage:
    """``facts`` by their words, ``stages`` with their moments in Unix seconds, ``texts`` by their titles."""

    name: str = ""
    uuid: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    """Gathers text by the elements that it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.page = TaskPage()
        self._path: list[tuple[str, str]] = []
        self._title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag not in ("input", "meta", "link", "br", "img"):
            self._path.append((tag, told.get("class", "")))
        if tag == "time" and "li" in self._tags and self._title:
            self.page.stages[self._title] = datetime.fromisoformat(told["datetime"]).timestamp()

    def handle_endtag(self, tag: str) -> None:
        while self._path and self._path.pop()[0] != tag:
            pass
        if tag == "li":
            self._title = ""

    def handle_data(self, data: str) -> None:
        tags, page = self._tags, self.page
        if tags[-1:] == ["h1"]:
            page.name += data
        elif tags[-1:] == ["p"] and "mono" in self._path[-1][1] and not page.uuid:
            page.uuid = data
        elif tags[-1:] in (["dt"], ["h3"]) or (tags[-1:] == ["b"] and "ol" in tags):
            self._title = data
        elif "dd" in tags:
            page.facts[self._title] = page.facts.get(self._title, "") + data
        elif tags[-1:] == ["code"] and "pre" in tags:
            page.texts[self._title] = page.texts.get(self._title, "") + data

    @property
    def _tags(self) -> list[str]:
        return [tag for tag, _ in self._path]


def read(html: str) -> TaskPage:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    return reader.page
