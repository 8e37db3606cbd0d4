"""``/api/v1/locations``."""

from __future__ import annotations

from fastapi import APIRouter

from nightowl.web.api.models import LocationModel
from nightowl.web.handlers import Handlers


def router(handlers: Handlers) -> APIRouter:
    """The endpoints of locations."""
    api = APIRouter(prefix="/locations", tags=["locations"])

    @api.get("", summary="All locations, by name")
    def list_locations() -> list[LocationModel]:
        return [
            LocationModel(name=name, reach=location.policy.reach, labels=location.labels)
            for name, location in sorted(handlers.locations().items())
        ]

    return api
