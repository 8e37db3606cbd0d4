import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.webhook import Webhook, document, signature
from nightowl.config import load

PAGE = Path(__file__).parents[3].joinpath("docs/notices.md").read_text()
SECRET = "whsec-41d2"


def example(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def is_genuine() -> Callable[..., bool]:
    """The function that the page shows."""
    names: dict = {}
    exec(example("python")[0], names)
    return names["is_genuine"]


def test_the_shown_function_accepts_what_nightowl_sends(receiver, notice, is_genuine) -> None:
    Webhook(url=receiver.url, secret=SECRET).send(notice())
    [request] = receiver.requests
    assert is_genuine(SECRET, request.headers["X-NightOwl-Signature"], request.body)


def test_the_shown_function_refuses_everything_else(receiver, notice, is_genuine) -> None:
    Webhook(url=receiver.url, secret=SECRET).send(notice())
    [request] = receiver.requests
    header = request.headers["X-NightOwl-Signature"]
    assert not is_genuine("another", header, request.body)
    assert not is_genuine(SECRET, header, request.body + b" ")
    assert not is_genuine(SECRET, signature(SECRET, 1_700_000_000, request.body), request.body)
    assert not any(
        is_genuine(SECRET, garbage, request.body) for garbage in ("", "t=1", "v1=00", "t=x,v1=00", "nothing")
    )


def test_the_shown_body_is_what_nightowl_sends(notice, incident) -> None:
    shown = json.loads(example("json")[0])
    same = replace(notice(incident=replace(incident, id=shown["incident"]["id"])), channel="pager", url=shown["url"])
    assert json.loads(json.dumps(document(same))) == shown


def test_the_shown_configuration_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_URL", "PAGER_SECRET", "PAGER_TOKEN", "PAGERDUTY_KEY"):
        monkeypatch.setenv(name, "https://hooks.example/x")
    tmp_path.joinpath("mail.password").write_text("hoot")
    path = tmp_path / "nightowl.toml"
    path.write_text("\n".join(example("toml")))
    configuration = load(str(path))
    assert set(configuration.channels) == {"ops", "mail", "pager", "oncall"}
    assert [route.name for route in configuration.routes] == ["shop", "night", "databases", "nobody-asleep"]
    assert [each.name for each in configuration.maintenance] == ["deploys", "patching"]
    assert configuration.checks["intranet"].depends_on == ("router",)
    assert [hint.key for hint in configuration.hints] == ["channel.oncall"]
