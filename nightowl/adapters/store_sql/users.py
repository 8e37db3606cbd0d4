"""People who may sign in, and their sessions."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, insert, select

from nightowl.adapters.store_sql.schema import SESSIONS, USERS
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import User


class SqlUsers:
    """See ``ports.Users``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def get(self, name: str) -> User | None:
        """One user."""
        row = self._connection.execute(select(USERS).where(USERS.c.name == name)).mappings().one_or_none()
        return User(**row) if row else None

    def all(self) -> list[User]:
        """All users, by name."""
        return [User(**row) for row in self._connection.execute(select(USERS).order_by(USERS.c.name)).mappings()]

    def put(self, user: User) -> None:
        """Insert or replace by name; a changed password ends the user's sessions."""
        old = self.get(user.name)
        self._session.upsert(USERS, [msgspec.structs.astuple(user)])
        if old is not None and old.password_hash != user.password_hash:
            self._connection.execute(delete(SESSIONS).where(SESSIONS.c.user_name == user.name))

    def remove(self, name: str) -> bool:
        """Forget a user and the sessions."""
        return self._connection.execute(delete(USERS).where(USERS.c.name == name)).rowcount > 0

    def open_session(self, token_hash: bytes, user: str, expires: float) -> None:
        """Remember a session by the hash of its token."""
        self._connection.execute(insert(SESSIONS).values(token_hash=token_hash, user_name=user, expires=expires))

    def session(self, token_hash: bytes, now: float) -> User | None:
        """Whose session this is, where it has not ended."""
        query = (
            select(USERS)
            .join(SESSIONS, SESSIONS.c.user_name == USERS.c.name)
            .where(SESSIONS.c.token_hash == token_hash, SESSIONS.c.expires > now)
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return User(**row) if row else None

    def close_session(self, token_hash: bytes) -> None:
        """End a session."""
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == token_hash))
