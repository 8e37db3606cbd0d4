"""From a page's data to HTML, and to the fragments of it that live updates exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nightowl.core.sentences import cause, seen_from
from nightowl.core.suppression import in_words
from nightowl.web import axis, line_picture, rule_picture, strips, task_words, words, workflow_picture
from nightowl.web.addressing import is_addressable, visible
from nightowl.web.assets import Assets
from nightowl.web.cluster_parts import ASKING_PARTS, PARTS
from nightowl.web.handlers import Handlers
from nightowl.web.queue_words import drained
from nightowl.web.rows import incident_told
from nightowl.web.rule_rows import shape as rule_shape
from nightowl.web.visitor import Visitor

TEMPLATES = Path(__file__).parent / "templates"


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A page before it is drawn: which template, its title, and the data that it and its ``.json`` show."""

    template: str
    title: str
    data: msgspec.Struct
    status: int = 200
    headers: Mapping[str, str] = {}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds every page. ``open`` counts open incidents by kind.

    ``feed`` is the change feed's item that the page is as new as.
    """

    now: float
    path: str
    visitor: Visitor | None = None
    csrf: str = ""
    counts: Mapping[str, int] = {}
    open: Mapping[str, int] = {}
    problems: tuple[str, ...] = ()
    feed: int = 0
    theme: str = "auto"
    keys: bool = True
    live: bool = False

    @property
    def wrong(self) -> int:
        """How many checks are down, and incidents of rules, of clusters and about NightOwl itself are open."""
        return self.counts.get("down", 0) + sum(self.open.get(kind, 0) for kind in ("rule", "nodata", "cluster", "own"))

    @property
    def headline(self) -> str:
        """The same in words: ``2 down, 3 firing, 1 without data, 1 own fault`` (empty: nothing)."""
        counted = {
            "down": self.counts.get("down", 0),
            "firing": self.open.get("rule", 0),
            "without data": self.open.get("nodata", 0),
            "found": self.open.get("cluster", 0),
        }
        own = self.open.get("own", 0)
        parts = [f"{count:,} {word}" for word, count in counted.items() if count]
        return ", ".join([*parts, words.plural(own, "own fault")] if own else parts)

    @property
    def may_write(self) -> bool:
        """Whether to offer what changes things."""
        return self.visitor is not None and self.visitor.role != "viewer"

    @property
    def may_manage(self) -> bool:
        """Whether to offer what only admins may do."""
        return self.visitor is not None and self.visitor.role == "admin"


class Rendered(msgspec.Struct, frozen=True):
    """A drawn page: whole, its live fragments by element id, and the order of the live lists' members."""

    html: str
    fragments: Mapping[str, str]
    lists: Mapping[str, list[str]]


_LIVE = Markup(" data-live")
_STILL = Markup()


def _element(tag: str, ident: str, kind: str, inner: Markup, attributes: Markup = _STILL) -> Markup:
    return Markup('<{0} id="{1}" class="{2}"{3}>{4}</{0}>').format(tag, ident, kind, attributes, inner)


class _Recorder:
    """Notes the live elements while a template is drawn, so that page and updates come from one text."""

    def __init__(self) -> None:
        self.fragments: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self._open: list[list[str]] = []

    def live(self, ident: str, tag: str, kind: str = "", *, caller: Callable[[], Markup]) -> Markup:
        """Draw an element that is exchanged whole when its content changes."""
        html = _element(tag, ident, kind, caller(), _LIVE)
        self.fragments[ident] = str(html)
        if self._open:
            self._open[-1].append(ident)
        return html

    def live_list(self, ident: str, tag: str, kind: str = "", *, caller: Callable[[], Markup]) -> Markup:
        """Draw an element whose children are live elements that may come, go and change places."""
        self._open.append([])
        inner = caller()
        self.lists[ident] = self._open.pop()
        return _element(tag, ident, kind, inner)


class Renderer:
    """Draws views by Jinja2 with autoescape; an undefined name is an error."""

    def __init__(self, handlers: Handlers, assets: Assets) -> None:
        prefix = handlers.settings.url_prefix
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            iso=words.iso, span=words.span, took=words.took, plural=words.plural, listed=words.listed, day=words.day,
            times=words.times, clock=words.clock, sentence=words.sentence, who=words.who, by_whom=words.by_whom,
            told=incident_told, parted=words.parted, suppression=in_words, spent=task_words.spent,
            visible=visible,
        )  # fmt: skip
        self._environment.tests["addressable"] = is_addressable
        self._environment.globals.update(
            url=lambda path: f"{prefix}{path}",
            asset=lambda name: f"{prefix}/static/{assets.names[name]}",
            ago=words.ago,
            day_and_clock=words.day_and_clock,
            share=words.share,
            cause=cause,
            seen_from=seen_from,
            strips=strips,
            axis=axis,
            picture=rule_picture,
            line_picture=line_picture,
            rule_shape=rule_shape,
            cluster_parts=PARTS,
            asking_parts=ASKING_PARTS,
            drained=drained,
            task_shape=task_words.shape,
            task_word=task_words.word,
            workflow_picture=workflow_picture,
        )

    def draw(self, view: View, frame: Frame) -> Rendered:
        """Draw a whole page."""
        recorder = _Recorder()
        context: dict[str, Any] = {
            "view": view,
            "data": view.data,
            "frame": frame,
            "live": recorder.live,
            "live_list": recorder.live_list,
        }
        html = self._environment.get_template(view.template).render(context)
        return Rendered(html, recorder.fragments, recorder.lists)
