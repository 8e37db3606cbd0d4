"""``/api/v1/locations``."""

from __future__ import annotations

from msgspec import to_builtins

from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import ActorModel, LocationModel
from nightowl.web.handlers import Handlers
from nightowl.web.masking import mask_url
from nightowl.web.presence import presence


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of locations."""
    api = Endpoints("/locations", "locations")

    @api.get("", summary="All locations, by name")
    def list_locations() -> list[LocationModel]:
        with handlers.store.read() as unit:
            actors = [ActorModel.model_validate(to_builtins(presence(seen))) for seen in unit.actors.all()]
        return [
            LocationModel(
                name=name,
                reach=location.policy.reach,
                labels=location.labels,
                control=[mask_url(target.url) for target in location.control],
                actors=[actor for actor in actors if actor.location == name],
            )
            for name, location in sorted(handlers.locations().items())
        ]

    return api
