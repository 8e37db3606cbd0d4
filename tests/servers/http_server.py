"""What private servers that speak HTTP have in common."""

from __future__ import annotations

from typing import ClassVar
from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.server import Server


class HttpServer(Server):
    """A server for all tests, which take names of their own in it; ``health`` is the path that answers 200."""

    health: ClassVar[str]

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            with urlopen(self.url + self.health, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def fresh_url(self) -> str:
        """The one there is."""
        return self.url

    def drop(self, url: str) -> None:
        """Nothing: what is in it burdens nobody."""
