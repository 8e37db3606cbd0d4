"""What may be done to users, in one place for pages, API and command line. Each change is written to the audit."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.values import Author, Role, User
from nightowl.ports import Store, Unit
from nightowl.web import passwords
from nightowl.web.audit import record


def add_first(store: Store, author: Author, now: float, name: str, password: str) -> bool:
    """Create the first user, an admin; False: somebody exists already."""
    encoded = passwords.hashed(password)
    with store.transaction() as unit:
        unit.users.hold()
        if unit.users.all():
            return False
        unit.users.put(User(name=name, role="admin", password_hash=encoded))
        record(unit, author, now, "user.add", name, "role: admin, the first user")
        return True


def add(store: Store, author: Author, now: float, name: str, role: Role, password: str) -> None:
    """Create a user. Raises ``ConfigurationError``, and ``Refused`` where the name is taken."""
    _confirm(name, password)
    encoded = passwords.hashed(password)
    with store.transaction() as unit:
        unit.users.hold()
        if unit.users.get(name):
            raise Refused(f"There is a user named {name} already.")
        unit.users.put(User(name=name, role=role, password_hash=encoded))
        record(unit, author, now, "user.add", name, f"role: {role}")


def put(store: Store, author: Author, now: float, name: str, role: Role, password: str) -> bool:
    """Create a user, or give the one of that name this role and password; whether they are new.

    Raises ``ConfigurationError`` or ``Refused``.
    """
    _confirm(name, password)
    encoded = passwords.hashed(password)
    with store.transaction() as unit:
        unit.users.hold()
        before = unit.users.get(name)
        if before is not None:
            _refuse_file(before)
        unit.users.put(User(name=name, role=role, password_hash=encoded))
        record(unit, author, now, "user.edit" if before else "user.add", name, f"role: {role}, and a new password")
    return before is None


def set_role(store: Store, author: Author, now: float, name: str, role: Role) -> None:
    """Give a user another role, which ends their sessions. Raises ``NotFound`` or ``Refused``."""
    _change(store, author, now, name, lambda user: replace(user, role=role))


def set_disabled(store: Store, author: Author, now: float, name: str, *, disabled: bool) -> None:
    """Let a user in no longer, or again. Raises ``NotFound`` or ``Refused``."""
    _change(store, author, now, name, lambda user: replace(user, disabled=disabled))


def set_password(store: Store, author: Author, now: float, name: str, password: str) -> None:
    """Give a user another password, which ends their sessions.

    Raises ``ConfigurationError`` for one that is too weak, ``NotFound`` or ``Refused``.
    """
    _confirm(name, password)
    encoded = passwords.hashed(password)
    with store.transaction() as unit:
        user = _changeable(unit, name)
        unit.users.put(replace(user, password_hash=encoded))
        record(unit, author, now, "user.password", name)


def remove(store: Store, author: Author, now: float, name: str) -> None:
    """Forget a user with sessions and tokens. Raises ``NotFound`` or ``Refused``."""
    with store.transaction() as unit:
        unit.users.hold()
        user = _changeable(unit, name)
        unit.users.remove(name)
        _keep_an_admin(unit, user)
        record(unit, author, now, "user.remove", name, f"role: {user.role}")


def sign_out(store: Store, author: Author, now: float, name: str) -> int:
    """End all sessions of a user; how many there were. Raises ``NotFound``."""
    with store.transaction() as unit:
        _existing(unit, name)
        ended = unit.users.close_sessions(name)
        record(unit, author, now, "user.sign-out", name, f"sessions: {ended}")
        return ended


def _change(store: Store, author: Author, now: float, name: str, change: Callable[[User], User]) -> None:
    with store.transaction() as unit:
        unit.users.hold()
        before = _changeable(unit, name)
        after = change(before)
        if after == before:
            return
        unit.users.put(after)
        _keep_an_admin(unit, before)
        record(unit, author, now, "user.edit", name, _told(before, after))


def _told(before: User, after: User) -> str:
    if before.role != after.role:
        return f"role: {before.role}, now {after.role}"
    return "disabled" if after.disabled else "enabled again"


def _keep_an_admin(unit: Unit, before: User) -> None:
    """Raise ``Refused`` where the change to this user left nobody who may do it again."""
    was_admin = before.role == "admin" and not before.disabled
    if was_admin and not any(user.role == "admin" and not user.disabled for user in unit.users.all()):
        raise Refused(f"{before.name} is the last admin: make somebody else one first.")


def _changeable(unit: Unit, name: str) -> User:
    user = _existing(unit, name)
    _refuse_file(user)
    return user


def _refuse_file(user: User) -> None:
    if user.origin == "file":
        raise Refused(f"{user.name} is defined in a configuration file: change it there.")


def _existing(unit: Unit, name: str) -> User:
    user = unit.users.get(name)
    if user is None:
        raise NotFound(f"There is no user named {name}.")
    return user


def _confirm(name: str, password: str) -> None:
    wrong = {"name": passwords.name_mistake(name), "password": passwords.mistake(password)}
    found = {"name": f'"{name[:100]}"', "password": "one that cannot be"}
    mistakes = [
        Mistake(file="", key=key, found=found[key], allowed=allowed) for key, allowed in wrong.items() if allowed
    ]
    if mistakes:
        raise ConfigurationError(mistakes)
