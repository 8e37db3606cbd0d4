"""``/api/v1/users``: people who may sign in; for admins."""

from __future__ import annotations

from nightowl.core.errors import NotFound
from nightowl.web import people
from nightowl.web.api.access_models import NewUser, UserChange, UserModel
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of users."""
    api = Endpoints("/users", "users")
    store, clock = handlers.store, handlers.clock

    @api.get("", summary="All users, by name")
    def list_users() -> list[UserModel]:
        with store.read() as unit:
            sessions = unit.users.sessions(clock.now())
            return [UserModel.of_user(user, sessions.get(user.name, 0)) for user in unit.users.all()]

    @api.post("", status_code=201, summary="Add a user")
    def add_user(wanted: NewUser, author: Asking) -> UserModel:
        people.add(store, author, clock.now(), wanted.name, wanted.role, wanted.password)
        return _user(handlers, wanted.name)

    @api.patch("/{name}", summary="Change a user's role or password, or let them in no longer")
    def change_user(name: str, change: UserChange, author: Asking) -> UserModel:
        if change.role is not None:
            people.set_role(store, author, clock.now(), name, change.role)
        if change.password is not None:
            people.set_password(store, author, clock.now(), name, change.password)
        if change.disabled is not None:
            people.set_disabled(store, author, clock.now(), name, disabled=change.disabled)
        return _user(handlers, name)

    @api.delete("/{name}", status_code=204, summary="Remove a user with sessions and tokens")
    def remove_user(name: str, author: Asking) -> None:
        people.remove(store, author, clock.now(), name)

    @api.post("/{name}/sign-out", status_code=204, summary="End all sessions of a user")
    def sign_out(name: str, author: Asking) -> None:
        people.sign_out(store, author, clock.now(), name)

    return api


def _user(handlers: Handlers, name: str) -> UserModel:
    with handlers.store.read() as unit:
        user = unit.users.get(name)
        if user is None:
            raise NotFound(f"There is no user named {name}.")
        return UserModel.of_user(user, unit.users.sessions(handlers.clock.now()).get(name, 0))
