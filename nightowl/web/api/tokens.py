"""``/api/v1/tokens``: what programs sign in with; one's own, and for admins all."""

from __future__ import annotations

from nightowl.web import tokens
from nightowl.web.api.access_models import NewToken, TokenMade, TokenModel
from nightowl.web.api.asking import Asker, Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of tokens."""
    api = Endpoints("/tokens", "tokens")
    store, clock = handlers.store, handlers.clock

    @api.get("", summary="Your tokens, by name; an admin's list has all")
    def list_tokens(asker: Asker) -> list[TokenModel]:
        with store.read() as unit:
            return [TokenModel.of(token) for token in tokens.visible(unit.tokens.all(), asker)]

    @api.post("", status_code=201, summary="Make a token", description="A token itself may make none.")
    def make_token(wanted: NewToken, asker: Asker, author: Asking) -> TokenMade:
        tokens.confirm_person(asker)
        tokens.confirm_role(asker, wanted.role)
        wish = tokens.Wish(name=wanted.name, role=wanted.role, owner=asker.user, lasts=wanted.lasts)
        return TokenMade(token=tokens.issue(store, author, clock.now(), wish))

    @api.delete("/{name}", status_code=204, summary="End a token at once")
    def revoke_token(name: str, asker: Asker, author: Asking) -> None:
        tokens.confirm_person(asker)
        tokens.revoke(store, author, clock.now(), name, of=asker)

    return api
