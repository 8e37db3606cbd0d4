"""Who asks."""

from __future__ import annotations

import msgspec

from nightowl.core.values import Author, Role


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: by name and role.

    ``local`` needed no sign-in, ``cookie`` says that a session speaks for them; ``token`` is the name of the token
    that a program came with, and ``name`` then is the same.
    """

    name: str
    role: Role
    local: bool = False
    cookie: bool = False
    token: str = ""

    @property
    def user(self) -> str:
        """The user's name; empty for who is no user: a token, or whoever sits at this machine."""
        return "" if self.local or self.token else self.name

    def author(self, address: str) -> Author:
        """This visitor as who makes a change."""
        return Author("local" if self.local else "token" if self.token else "user", self.name, address)


LOCAL = Visitor(name="local", role="admin", local=True)
"""Whoever sits at this machine."""
