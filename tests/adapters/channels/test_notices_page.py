import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.slack import Slack
from nightowl.adapters.channels.webhook import Webhook, document, signature
from nightowl.config import load
from nightowl.core.notice_template import variables
from nightowl.core.template_filters import FILTERS

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
    for name in set(re.findall(r"\$\{env:(\w+)\}", PAGE)):
        monkeypatch.setenv(name, "https://hooks.example/x")
    tmp_path.joinpath("mail.password").write_text("hoot")
    path = tmp_path / "nightowl.toml"
    path.write_text("\n".join(example("toml")))
    configuration = load(str(path))
    assert set(configuration.channels) == {
        *("ops", "mail", "pager", "team", "post", "chat", "oncall", "alerts", "phones")
    }
    assert [route.name for route in configuration.routes] == ["shop", "night", "databases", "nobody-asleep"]
    assert [each.name for each in configuration.maintenance] == ["deploys", "patching"]
    assert configuration.checks["intranet"].depends_on == ("router",)
    assert [hint.key for hint in configuration.hints] == [
        *("channel.team", "channel.post", "channel.chat", "channel.oncall", "channel.alerts", "channel.phones")
    ]


def test_the_shown_templates_say_what_they_should(receiver, notice, incident) -> None:
    templates = {name: table["template"] for name, table in shown_channels().items() if "template" in table}
    told = replace(notice(), others=(replace(incident, subject="db", summary="db is down"),))
    Slack(url=receiver.url, template={"text": templates["team"]}).send(told)
    Webhook(url=receiver.url, template=templates["chat"]).send(told)
    text, chat = (json.loads(request.body) for request in receiver.requests)
    assert text["text"].splitlines() == [
        "*■ DOWN: shop and 1 more* <https://owl.example/incidents/5f2c|Details>",
        "shop is down: connection refused, seen from 3 of 3 locations.",
        "• db: db is down",
        "What to do: https://wiki.example/shop",
    ]
    assert chat == {"text": "■ DOWN: shop and 1 more", "colour": "red", "since": "2023-11-14T22:13:20+00:00"}


def test_every_value_and_filter_of_templates_is_documented(notice) -> None:
    chapter = re.sub(
        r"^```.*?^```$", "", PAGE.partition("## Templates")[2].partition("\n## ")[0], flags=re.MULTILINE | re.DOTALL
    )
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", chapter))))
    assert set(variables(notice())) | set(variables(notice())["incident"]) | set(FILTERS) <= words


def shown_channels() -> dict:
    """The tables of channels that the page shows."""
    return {name: table for text in example("toml") for name, table in tomllib.loads(text).get("channel", {}).items()}
