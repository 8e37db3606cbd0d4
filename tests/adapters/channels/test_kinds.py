import pytest

from nightowl.adapters.channels.email import Email
from nightowl.adapters.channels.kinds import build
from nightowl.adapters.channels.pagerduty import PagerDuty
from nightowl.adapters.channels.slack import Slack
from nightowl.adapters.channels.webhook import Webhook
from nightowl.core.errors import NotFound


@pytest.mark.parametrize(
    ("kind", "options", "made"),
    [
        ("email", {"host": "mail.example", "port": 587, "sender": "a@b.example", "to": ("c@d.example",)}, Email),
        ("webhook", {"url": "https://x.example/", "secret": "s", "headers": {"A": "b"}, "timeout": 5.0}, Webhook),
        ("slack", {"url": "https://hooks.slack.example/x", "timeout": 5.0}, Slack),
        ("pagerduty", {"routing_key": "k", "url": "https://x.example/v2/enqueue", "timeout": 5.0}, PagerDuty),
    ],
)
def test_a_kind_makes_its_channel_of_its_options(kind, options, made) -> None:
    assert isinstance(build(kind, options), made)


def test_an_unknown_kind_is_told_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="pigeon; there are email, webhook, slack, pagerduty"):
        build("pigeon", {})
