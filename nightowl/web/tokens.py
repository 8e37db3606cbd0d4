"""What may be done to the tokens of programs, in one place for pages, API and command line."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.values import Author, Role, Token
from nightowl.ports import Store
from nightowl.web import passwords
from nightowl.web.access import suffices
from nightowl.web.audit import record
from nightowl.web.bearer import digest, new_token
from nightowl.web.visitor import Visitor
from nightowl.web.words import iso

SOONEST, LATEST = 60.0, 10 * 365 * 86400.0
"""Seconds that a token lasts, where it expires."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A token that somebody would like: it ends ``lasts`` seconds from now (None: never)."""

    name: str
    role: Role
    owner: str = ""
    lasts: float | None = None


def issue(store: Store, author: Author, now: float, wish: Wish) -> str:
    """Make a token and return its text, which nobody will see again.

    Raises ``ConfigurationError`` for a wish that cannot be granted, ``Refused`` where the name is taken.
    """
    _confirm(wish)
    expires = None if wish.lasts is None else now + wish.lasts
    token = Token(name=wish.name, role=wish.role, owner=wish.owner, created=now, expires=expires)
    text = new_token()
    with store.transaction() as unit:
        if not unit.tokens.add(token, digest(text)):
            raise Refused(f"There is a token named {wish.name} already.")
        record(unit, author, now, "token.new", wish.name, _told(token))
    return text


def revoke(store: Store, author: Author, now: float, name: str, *, of: Visitor | None = None) -> None:
    """End a token at once; ``of`` limits it to what that visitor may see. Raises ``NotFound``."""
    with store.transaction() as unit:
        token = unit.tokens.get(name)
        if token is None or (of is not None and not is_visible(token, of)):
            raise NotFound(f"There is no token named {name}.")
        unit.tokens.remove(name)
        record(unit, author, now, "token.revoke", name, _told(token))


def visible(tokens: Iterable[Token], visitor: Visitor) -> list[Token]:
    """Those of ``tokens`` that a visitor may see and revoke."""
    return [token for token in tokens if is_visible(token, visitor)]


def is_visible(token: Token, visitor: Visitor) -> bool:
    """Whether a visitor may see and revoke a token: an admin all, others their own."""
    return visitor.role == "admin" or (visitor.user != "" and token.owner == visitor.user)


def confirm_person(visitor: Visitor) -> None:
    """Raise ``Refused`` for a token: one that ends must not be able to make one that does not."""
    if visitor.token:
        raise Refused("A token manages no tokens: sign in for that.")


def confirm_role(visitor: Visitor, role: Role) -> None:
    """Raise ``ConfigurationError`` for a role that is more than the visitor's."""
    if not suffices(visitor.role, role):
        allowed = f"a role up to your own, {visitor.role}"
        raise ConfigurationError([Mistake(file="", key="role", found=f'"{role}"', allowed=allowed)])


def _confirm(wish: Wish) -> None:
    mistakes = []
    if allowed := passwords.name_mistake(wish.name):
        mistakes.append(Mistake(file="", key="name", found=f'"{wish.name[:100]}"', allowed=allowed))
    if wish.lasts is not None and not SOONEST <= wish.lasts <= LATEST:
        found, allowed = f"{wish.lasts:g} s", "a time from a minute to ten years, or none"
        mistakes.append(Mistake(file="", key="expires", found=found, allowed=allowed))
    if mistakes:
        raise ConfigurationError(mistakes)


def _told(token: Token) -> str:
    ends = f"until {iso(token.expires)}" if token.expires else "for ever"
    return f"role: {token.role}\nowner: {token.owner or 'nobody'}\nlasts: {ends}"
