"""People who may sign in, and their sessions."""

from __future__ import annotations

import msgspec
from sqlalchemy import delete, false, func, insert, select

from nightowl.adapters.store_sql.schema import MARKS, SESSIONS, USERS
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import User

_INSTALLATION = select(MARKS.c.value).where(MARKS.c.name == "installation")


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
        """Insert or replace by name; a changed password or role, or being disabled, ends the user's sessions."""
        old = self.get(user.name)
        self._session.upsert(USERS, [msgspec.structs.astuple(user)])
        if old is not None and _may(old) != _may(user):
            self.close_sessions(user.name)

    def remove(self, name: str) -> bool:
        """Forget a user with sessions and tokens."""
        return self._connection.execute(delete(USERS).where(USERS.c.name == name)).rowcount > 0

    def hold(self) -> None:
        """Let no other transaction that holds users go on until this one ends."""
        self._connection.execute(_INSTALLATION.with_for_update())

    def installation(self) -> int:
        """A number that tells this store from all others."""
        return int(self._connection.execute(_INSTALLATION).scalar_one())

    def open_session(self, token_hash: bytes, user: str, expires: float) -> None:
        """Remember a session by the hash of its token."""
        self._connection.execute(insert(SESSIONS).values(token_hash=token_hash, user_name=user, expires=expires))

    def session(self, token_hash: bytes, now: float) -> User | None:
        """Whose session this is, where it has not ended and its user is not disabled."""
        query = (
            select(USERS)
            .join(SESSIONS, SESSIONS.c.user_name == USERS.c.name)
            .where(SESSIONS.c.token_hash == token_hash, SESSIONS.c.expires > now, USERS.c.disabled == false())
        )
        row = self._connection.execute(query).mappings().one_or_none()
        return User(**row) if row else None

    def close_session(self, token_hash: bytes) -> None:
        """End a session."""
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.token_hash == token_hash))

    def close_sessions(self, name: str) -> int:
        """End all sessions of a user; how many there were."""
        return self._connection.execute(delete(SESSIONS).where(SESSIONS.c.user_name == name)).rowcount

    def sessions(self, now: float) -> dict[str, int]:
        """How many sessions each user has open (none: not there)."""
        query = (
            select(SESSIONS.c.user_name, func.count().label("open"))
            .where(SESSIONS.c.expires > now)
            .group_by(SESSIONS.c.user_name)
        )
        return {row.user_name: row.open for row in self._connection.execute(query)}


def _may(user: User) -> tuple[str, str, bool]:
    """What sessions were opened on the strength of."""
    return user.password_hash, user.role, user.disabled
