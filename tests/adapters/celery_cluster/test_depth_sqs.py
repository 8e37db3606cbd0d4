"""What SQS tells of its queues, from moto's server."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from nightowl.adapters.celery_cluster.depth.factory import depth
from nightowl.core.cluster.state import Queue
from nightowl.core.errors import Unavailable

pytest.importorskip("moto.server", reason="moto is not installed")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of boto3 and moto


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def client(place: str) -> Iterator[Any]:
    import boto3  # noqa: PLC0415

    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "hunter22"}
    made = boto3.client("sqs", region_name="us-east-1", endpoint_url=f"http://{place}", **keys)
    yield made
    made.close()


def test_three_attributes_and_the_names_that_kombu_writes(place: str, client: Any) -> None:
    url = client.create_queue(QueueName="shop-new-orders_now")["QueueUrl"]
    for delay in (0, 0, 0, 600):
        client.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=delay)
    client.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=600)
    found = depth(
        f"sqs://key:hunter22@{place}",
        transport_options={
            "is_secure": False,
            "queue_name_prefix": "shop-",
            "predefined_queues": {"mine": {"url": url}},
        },
    )
    same = {"ready": 2, "unacked": 2, "scheduled": 1}
    assert found.queues(["new.orders!now", "absent", "mine"]) == [
        Queue(name="new.orders!now", **same),
        Queue(name="absent", ready=0, unacked=0, scheduled=0),
        Queue(name="mine", **same),
    ]
    assert found.broker().kind == "SQS"
    assert "hunter22" not in found.broker().url
    found.close()


def test_an_endpoint_that_is_away_is_said_to_be() -> None:
    found = depth("sqs://key:hunter22@127.0.0.1:1", transport_options={"is_secure": False})
    with pytest.raises(Unavailable, match="does not answer") as error:
        found.queues(["celery"])
    assert "hunter22" not in str(error.value)
    found.close()
