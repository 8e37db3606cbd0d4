"""What the API takes and gives about people, tokens and the audit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, Field

from nightowl.core.values import AuditEntry, User
from nightowl.web.api.models import Model, Moment

RoleWord = Literal["viewer", "operator", "admin"]
Lasting = Annotated[float, Field(description="Seconds until it ends; null: it does not.", examples=[7776000])]


class UserModel(Model):
    """Somebody who may sign in."""

    name: str
    role: RoleWord
    origin: Literal["file", "stored"] = Field(description="`file`: read-only here.")
    disabled: bool
    sessions: int = Field(0, description="Open sessions.")

    @classmethod
    def of_user(cls, user: User, sessions: int) -> Self:
        """A user, never with the password's hash."""
        return cls(name=user.name, role=user.role, origin=user.origin, disabled=user.disabled, sessions=sessions)


class NewUser(BaseModel):
    """A user to be."""

    name: str
    role: RoleWord = "viewer"
    password: str = Field(description="At least ten characters.")


class UserChange(BaseModel):
    """What is to differ; what is left out stays. A new role or password ends the user's sessions."""

    role: RoleWord | None = None
    password: str | None = None
    disabled: bool | None = None


class TokenModel(Model):
    """What a program signs in with; its text is told once, when it is made."""

    name: str
    role: RoleWord
    owner: str = Field("", description="It may never do more than its owner; empty: it has none.")
    created: Moment
    expires: Moment | None = None
    used: Moment | None = Field(None, description="When it was last used, to a minute.")


class NewToken(BaseModel):
    """A token to be."""

    name: str
    role: RoleWord = "viewer"
    lasts: Lasting | None = None


class TokenMade(BaseModel):
    """A new token's text: the only time that it is shown."""

    token: str


class AuditModel(Model):
    """A change that somebody made."""

    at: Moment
    kind: Literal["user", "token", "local", "command", "file", "stranger"]
    who: str
    address: str = Field(description="Where the request came from; empty: not over the network.")
    what: str = Field(examples=["check.edit"])
    subject: str
    detail: str = Field(description="What differs, without secrets.")

    @classmethod
    def of_entry(cls, entry: AuditEntry) -> Self:
        """An entry of the audit."""
        author = {"kind": entry.author.kind, "who": entry.author.name, "address": entry.author.address}
        return cls.model_validate({**msgspec.structs.asdict(entry), **author})


class AuditListModel(Model):
    """A page of the audit, newest first."""

    entries: list[AuditModel]
    total: int
