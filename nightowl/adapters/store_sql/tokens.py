"""What programs sign in with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, or_, select, update

from nightowl.adapters.store_sql.schema import TOKENS, USERS
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import Token, User

_TOKEN = tuple(column for column in TOKENS.c if column is not TOKENS.c.token_hash)


class SqlTokens:
    """See ``ports.Tokens``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def all(self) -> list[Token]:
        """All tokens, by name."""
        return [_token(row) for row in self._connection.execute(select(*_TOKEN).order_by(TOKENS.c.name))]

    def get(self, name: str) -> Token | None:
        """One token."""
        row = self._connection.execute(select(*_TOKEN).where(TOKENS.c.name == name)).one_or_none()
        return _token(row) if row else None

    def add(self, token: Token, token_hash: bytes) -> bool:
        """Remember a new token; False: the name is taken."""
        row = (token.name, token_hash, token.role, token.owner or None, token.created, token.expires, token.used)
        return self._session.insert_new(TOKENS, [row]) > 0

    def remove(self, name: str) -> bool:
        """Forget a token; False: there was none."""
        return self._connection.execute(delete(TOKENS).where(TOKENS.c.name == name)).rowcount > 0

    def find(self, token_hash: bytes, now: float) -> tuple[Token, User | None] | None:
        """The token with this hash and its owner, where it has not expired and the owner is not disabled."""
        lasts = or_(TOKENS.c.expires.is_(None), TOKENS.c.expires > now)
        row = self._connection.execute(select(*_TOKEN).where(TOKENS.c.token_hash == token_hash, lasts)).one_or_none()
        if row is None:
            return None
        token = _token(row)
        if not token.owner:
            return token, None
        owner = self._connection.execute(select(USERS).where(USERS.c.name == token.owner)).mappings().one_or_none()
        return None if owner is None or owner["disabled"] else (token, User(**owner))

    def used(self, name: str, now: float) -> None:
        """Note that it was used."""
        self._connection.execute(update(TOKENS).where(TOKENS.c.name == name).values(used=now))


def _token(row: Any) -> Token:
    return Token(
        name=row.name, role=row.role, owner=row.owner or "", created=row.created, expires=row.expires, used=row.used
    )
