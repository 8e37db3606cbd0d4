"""The sample shop: a few pages on loopback, each with a way to fail of its own."""

from __future__ import annotations

import random

import msgspec

from nightowl.demo import certificate
from nightowl.demo.http_server import Answer, HttpConnection, Request
from nightowl.demo.loopback import ADDRESS, Loopback


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the shop: ``seconds`` is the span that answers take, ``refuses`` a location that is turned away."""

    path: str
    text: str
    type: str = "text/html; charset=utf-8"
    seconds: tuple[float, float] = (0.002, 0.012)
    refuses: str = ""


PAGES = {
    "front": Page(path="/", text="<title>Feather &amp; Sons</title><h1>Night lamps</h1><a href='/basket'>Basket</a>"),
    "search": Page(path="/search", text="<h1>3 lamps found</h1>", seconds=(0.35, 0.5)),
    "recommendations": Page(path="/recommendations", text='{"lamps": [3, 1, 2]}', type="application/json"),
    "checkout": Page(path="/checkout", text="<h1>Your order</h1>", refuses="tokyo"),
    "payments": Page(path="/payments", text='{"ok": true}', type="application/json"),
}
"""By name. All are healthy in themselves, but search is slow, and checkout fails for one location."""


class Shop:
    """The shop, with what is broken in it; its HTTPS listener shows an expired certificate.

    ``urls`` (by name: those of ``PAGES``, and ``partners`` on HTTPS), ``ports`` and ``ca`` (PEM: who signed the
    certificate) are there once it has started. All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self.urls: dict[str, str] = {}
        self.ports: tuple[int, ...] = ()
        self.ca = ""
        self._broken: frozenset[str] = frozenset()
        self._by_path = {page.path: name for name, page in PAGES.items()}
        self._loopback = Loopback("demo-shop")

    def start(self) -> None:
        """Open a port for HTTP and one for HTTPS."""
        context, self.ca = certificate.expired(ADDRESS)
        self._loopback.start()
        plain = self._loopback.listen(self._connection)
        secure = self._loopback.listen(self._connection, context)
        self.ports = (plain, secure)
        self.urls = {name: f"http://{ADDRESS}:{plain}{page.path}" for name, page in PAGES.items()}
        self.urls["partners"] = f"https://{ADDRESS}:{secure}/"

    def stop(self) -> None:
        """Close."""
        self._loopback.stop()

    def break_(self, name: str) -> None:
        """Let a page of ``PAGES`` answer 503 from now on."""
        self._broken |= {name}

    def heal(self, name: str) -> None:
        """Let it work again."""
        self._broken -= {name}

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._loopback, self._answer)

    def _answer(self, request: Request) -> Answer:
        name = self._by_path.get(request.path)
        if name is None:
            return Answer(status=404, body="There is no such page.")
        page = PAGES[name]
        seconds = random.uniform(*page.seconds)  # noqa: S311 - jitter, not a secret
        if name in self._broken:
            return Answer(status=503, body=f"The {name} service is out of order.", after=seconds)
        if page.refuses and f"({page.refuses})" in request.headers.get("user-agent", ""):
            return Answer(status=503, body=f"The {name} service cannot be reached from here.", after=seconds)
        return Answer(body=page.text, type=page.type, after=seconds)
