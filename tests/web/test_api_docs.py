"""The API's page names every endpoint, and no other."""

import re
from pathlib import Path

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def test_every_endpoint_is_documented(client):
    described = client.get("/api/v1/openapi.json").json()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert set(re.findall(r"`((?:GET|PUT|POST|PATCH|DELETE) /api/v1\S*)`", DOCUMENT)) == served
