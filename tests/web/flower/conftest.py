"""A shop whose cluster is watched, for all tests of this folder: starting a worker takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nightowl.config import Configuration
from nightowl.config.settings import Server
from nightowl.core.cluster.settings import FlowerSettings
from nightowl.roles.installation import Installation
from nightowl.roles.web import handlers, remotes
from nightowl.web.app import make_app
from nightowl.wire.own_app import own_app
from tests.conftest import fresh_url
from tests.web.flower.shop import WORKER, Shop, app_of, served, until, watching, working


@pytest.fixture(scope="package")
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    for broker in fresh_url(request.config, "redis"):
        with opened(folder, broker) as found:
            yield found


@contextmanager
def opened(folder: Path, broker: str) -> Iterator[Shop]:
    app = app_of(broker)
    own = own_app(app)
    settings = Configuration(
        server=Server(secret_key="k" * 32),
        store_url=f"sqlite:///{folder / 'owl.db'}",
        clusters={"shop": own.settings()},
        flower=FlowerSettings(unauthenticated_api=True, patience=5.0),
    )
    installation = Installation(fixed=settings)
    remote = remotes(installation, own)
    face = handlers(installation, list, remote=remote)
    with working(folder, broker, "-E"), watching(installation), served(make_app(face)) as client:
        found = Shop(installation, app, client)
        until(lambda: found.get("/api/workers", params={"status": 1}).json().get(WORKER))
        yield found
    remote.close()
    app.close()
    installation.tasks.close()
    installation.store.close()
