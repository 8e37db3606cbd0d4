"""Which channels take several incidents in one message, and that nothing of such a message is left out."""

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.alertmanager import Alertmanager
from nightowl.adapters.channels.apprise import Apprise
from nightowl.adapters.channels.email import Email
from nightowl.adapters.channels.pagerduty import PagerDuty
from nightowl.adapters.channels.slack import Slack
from nightowl.adapters.channels.webhook import Webhook
from nightowl.core.values import Notice
from nightowl.flows.notify import messages
from nightowl.ports import Claimed
from tests.notices import SHOP, make_notice

DB = replace(SHOP, id="db", subject="db")


def claimed(number: int, notice: Notice) -> Claimed:
    return Claimed(id=number, notice=replace(notice, group="team=shop"), tries=0)


@pytest.mark.parametrize("kind", [Email, Slack, Webhook, Apprise])
def test_people_are_told_of_a_group_in_one_message(kind: type) -> None:
    rows = [claimed(1, make_notice()), claimed(2, make_notice(incident=DB)), claimed(3, make_notice("resolved"))]
    assert [[row.id for row in each] for each in messages(rows, kind)] == [[1, 2], [3]]


@pytest.mark.parametrize("kind", [PagerDuty, Alertmanager])
def test_programs_that_know_alerts_are_told_of_each(kind: type) -> None:
    rows = [claimed(1, make_notice()), claimed(2, make_notice(incident=DB))]
    assert [[row.id for row in each] for each in messages(rows, kind)] == [[1], [2]]


def test_a_shared_message_has_a_key_of_its_own(receiver) -> None:
    shared = replace(make_notice(), others=(DB,))
    Webhook(url=receiver.url).send(shared)
    [request] = receiver.requests
    assert b'"subject":"db"' in request.body
    assert request.headers["X-NightOwl-Key"] != make_notice().key
    assert request.headers["X-NightOwl-Key"].startswith(make_notice().key)
