"""What the roles make of the channels of a configuration."""

import pytest

from nightowl import plugins
from nightowl.config import load
from nightowl.core.errors import DeliveryFailed
from nightowl.core.routing import trial
from nightowl.wire import director, notices

CHANNELS = """
[channel.alerts]
kind = "alertmanager"
url = "http://127.0.0.1:1"
resend = "5m"
[channel.mail]
kind = "email"
host = "h"
from = "a@b"
to = ["c@d"]
template = { subject = "{{ step }}" }
[channel.phones]
kind = "apprise"
urls = ["json://h/"]
[channel.pager]
kind = "pagerduty"
routing_key = "k"
[channel.chat]
kind = "slack"
url = "http://h/"
[channel.hook]
kind = "webhook"
url = "http://h/"
[channel.broken]
kind = "odd"
token = "s3cret"
"""


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    def odd(token):
        raise ValueError(f"no such token: {token}")

    kinds = {**plugins.channels(), "odd": odd}
    monkeypatch.setattr("nightowl.plugins.channels", lambda: kinds)
    path = tmp_path / "nightowl.toml"
    path.write_text(CHANNELS)
    return load(path, channel_kinds=["alertmanager", "email", "apprise", "pagerduty", "slack", "webhook", "odd"])


def test_every_built_in_kind_makes_its_channel_of_its_keys(configuration):
    made = {name: type(channel).__name__ for name, channel in notices.channels(configuration).items()}
    assert made == {
        "alerts": "Alertmanager",
        "mail": "Email",
        "phones": "Apprise",
        "pager": "PagerDuty",
        "chat": "Slack",
        "hook": "Webhook",
        "broken": "Unmade",
    }


def test_a_channel_that_its_plugin_cannot_make_says_so_and_keeps_its_secrets(configuration):
    with pytest.raises(DeliveryFailed) as caught:
        notices.channels(configuration)["broken"].send(trial("broken", "", 1.0))
    assert str(caught.value).endswith("cannot be made: ValueError: no such token: ***")
    [mistake] = notices.mistakes(configuration)
    assert mistake.key == "channel.broken"


def test_the_leader_knows_whom_to_tell_again(configuration):
    assert director.plan(configuration).resend == {"alerts": 300.0}
