"""Users, tokens and what they changed, as the store keeps them."""

from __future__ import annotations

from typing import Protocol

import msgspec

from nightowl.core.values import (
    AuditEntry,
    Token,
    User,
)


class Users(Protocol):
    """People who may sign in, and their sessions."""

    def get(self, name: str) -> User | None:
        """One user."""

    def all(self) -> list[User]:
        """All users, by name."""

    def put(self, user: User) -> None:
        """Insert or replace by name; a changed password or role, or being disabled, ends the user's sessions."""

    def remove(self, name: str) -> bool:
        """Forget a user with sessions and tokens."""

    def hold(self) -> None:
        """Let no other transaction that holds users go on until this one ends."""

    def installation(self) -> int:
        """A number that tells this store from all others."""

    def open_session(self, token_hash: bytes, user: str, expires: float) -> None:
        """Remember a session by the hash of its token."""

    def session(self, token_hash: bytes, now: float) -> User | None:
        """Whose session this is, where it has not ended and its user is not disabled."""

    def close_session(self, token_hash: bytes) -> None:
        """End a session."""

    def close_sessions(self, name: str) -> int:
        """End all sessions of a user; how many there were."""

    def sessions(self, now: float) -> dict[str, int]:
        """How many sessions each user has open (none: not there)."""


class Tokens(Protocol):
    """What programs sign in with; kept by the hash of what they send."""

    def all(self) -> list[Token]:
        """All tokens, by name."""

    def get(self, name: str) -> Token | None:
        """One token."""

    def add(self, token: Token, token_hash: bytes) -> bool:
        """Remember a new token; False: the name is taken."""

    def remove(self, name: str) -> bool:
        """Forget a token; False: there was none."""

    def find(self, token_hash: bytes, now: float) -> tuple[Token, User | None] | None:
        """The token with this hash and its owner, where it has not expired and the owner is not disabled."""

    def used(self, name: str, now: float) -> None:
        """Note that it was used."""


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of the audit a list shows; empty: all."""

    who: str = ""
    what: str = ""
    subject: str = ""


class Audit(Protocol):
    """Who changed what. Whoever changes something adds an entry in the same transaction."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry; what is longer than there is room for is cut."""

    def page(self, wanted: AuditFilter, offset: int, limit: int) -> tuple[list[AuditEntry], int]:
        """Entries newest first, and how many match."""
